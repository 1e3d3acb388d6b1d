/** Where the contents of files lie in the layer. */
import { addressOf, setAt } from '../../assembly/columns'
import { Column } from './columns'
import { Damage, refuse } from './host'
import { count, number, offset, skip } from './reading'

/** How many contents and size words of blocks have been decoded. */
export let contentCount: u32 = 0
export let blockCount: u32 = 0

let fragments: u32 = 0
let dataEnd: u64 = 0
let blockSize: u32 = 0

/** Set in the size word of a block that is stored as it is (FORMATS § 1.4). */
const raw: u64 = 0x100_0000
/** Before the first block, in the file of a packed layer. */
const headerBytes: u64 = 16

export function beginContents(fragmentCount: u32, end: u64, bytes: u32): void {
  fragments = fragmentCount
  dataEnd = end
  blockSize = bytes
  contentCount = 0
  blockCount = 0
  setAt(Column.blockStarts, 0, 0)
}

export function decodeContent(): void {
  const index = contentCount
  const sizeBytes = number()
  store<f64>(addressOf(Column.sizes) + 8 * index, <f64>sizeBytes)
  const identityLength = skip()
  setAt(Column.identityLengths, index, identityLength)
  setAt(Column.identityStarts, index, offset - identityLength)
  const position = number()
  store<f64>(addressOf(Column.positions) + 8 * index, <f64>position)
  // 0 stands for none
  const fragment = number()
  setAt(Column.fragments, index, <u32>fragment - 1)
  setAt(Column.offsets, index, fragment === 0 ? 0 : decodeOffset(fragment - 1, sizeBytes))
  if (fragment === 0) decodeBlocks(sizeBytes, position)
  contentCount = index + 1
  setAt(Column.blockStarts, contentCount, blockCount)
}

function decodeOffset(fragment: u64, sizeBytes: u64): u32 {
  const start = number()
  const room =
    fragment < fragments ? load<u32>(addressOf(Column.fragmentSizes) + 4 * <u32>fragment) : 0
  if (fragment >= fragments || start + sizeBytes > room) refuse(Damage.tail)
  return <u32>start
}

function decodeBlocks(sizeBytes: u64, position: u64): void {
  const blocks = count()
  if (<u64>blocks !== (sizeBytes + blockSize - 1) / blockSize) refuse(Damage.blocks)
  let storedBytes: u64 = 0
  for (const end = blockCount + blocks; blockCount < end; blockCount += 1) {
    const word = number()
    const size = word % raw
    if (word >= 2 * raw || size > blockSize || (size === 0 && word !== 0)) refuse(Damage.blockSize)
    setAt(Column.blocks, blockCount, <u32>word)
    storedBytes += size
  }
  if (storedBytes === 0) return
  if (position < headerBytes || position + storedBytes > dataEnd) refuse(Damage.blockPlace)
}
