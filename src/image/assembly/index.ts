/**
 * Decodes the entries of a packed layer's index into columns, and checks all that later reads rely on. An instance
 * serves one index after the other: `reserve`, index and fragment sizes are put there by JavaScript, `decode`, and the
 * columns are copied out.
 */
import { addressOf, setAt } from '../../assembly/columns'
import { Column } from './columns'
import { beginContents, contentCount, decodeContent } from './contents'
import { Damage, refuse } from './host'
import { beginReading, count, number, offset, skip, unsigned } from './reading'

export { addressOf } from '../../assembly/columns'
export { reserve } from './columns'
export { blockCount, contentCount } from './contents'
export { offset as end } from './reading'

/** Entries that have extended attributes. */
export let xattrCount: u32 = 0

/** In the order of `entryKinds` (packed-layer-format.ts). */
namespace Kind {
  export const directory: u64 = 0
  export const file: u64 = 1
  export const symlink: u64 = 2
  export const hardlink: u64 = 3
  export const charDevice: u64 = 4
  export const blockDevice: u64 = 5
  export const fifo: u64 = 6
}

/**
 * @param from Where the first entry stands in the index.
 * @param fragments How many fragments the layer has.
 * @param dataEnd Where the blocks end in the file of the layer.
 */
export function decode(
  textBytes: u32,
  from: u32,
  entries: u32,
  fragments: u32,
  dataEnd: f64,
  blockSize: u32,
): void {
  beginReading(addressOf(Column.text), from, textBytes)
  beginContents(fragments, <u64>dataEnd, blockSize)
  xattrCount = 0
  for (let index: u32 = 0; index < entries; index += 1) decodeEntry(index)
}

function decodeEntry(index: u32): void {
  const kind = number()
  store<u8>(addressOf(Column.kinds) + index, <u8>kind)
  const pathLength = skip()
  setAt(Column.pathLengths, index, pathLength)
  setAt(Column.pathStarts, index, offset - pathLength)
  store<u16>(addressOf(Column.modes) + 2 * index, <u16>unsigned(u16.MAX_VALUE))
  setAt(Column.uids, index, unsigned(u32.MAX_VALUE))
  setAt(Column.gids, index, unsigned(u32.MAX_VALUE))
  setAt(Column.mtimes, index, unsigned(u32.MAX_VALUE))
  passXattrs(index)
  let first: u32 = 0
  let second: u32 = 0
  if (kind === Kind.file) {
    first = contentCount
    decodeContent()
  } else if (kind === Kind.symlink || kind === Kind.hardlink) {
    second = skip()
    first = offset - second
  } else if (kind === Kind.charDevice || kind === Kind.blockDevice) {
    first = unsigned(u32.MAX_VALUE)
    second = unsigned(u32.MAX_VALUE)
  } else if (kind !== Kind.directory && kind !== Kind.fifo) refuse(Damage.kind)
  setAt(Column.firsts, index, first)
  setAt(Column.seconds, index, second)
}

/** Names and values are read by JavaScript: few entries have any. */
function passXattrs(index: u32): void {
  const start = offset
  const xattrs = count()
  if (xattrs === 0) return
  setAt(Column.xattrs, 2 * xattrCount, index)
  setAt(Column.xattrs, 2 * xattrCount + 1, start)
  xattrCount += 1
  for (let strings: u64 = 2 * <u64>xattrs; strings > 0; strings -= 1) skip()
}
