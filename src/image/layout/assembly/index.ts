/**
 * Equal contents are stored once: of the contents of the image's files, that which comes first, lowest layer first,
 * then by position, stands for all that are equal. An instance serves one image: `reserve`, the columns are filled by
 * JavaScript, `markLive` for each layer, then `addContents` for each layer, and `finish`.
 */

import { addressOf, at } from '../../../assembly/columns'
import { reserve as reserveBytes } from '../../../assembly/memory'
import { sort } from '../../../assembly/sort'
import { Column, isBefore, reserveColumns } from './columns'

export { addressOf } from '../../../assembly/columns'

/** Whether a file of the image has the content. */
let live: usize = 0
/** A hash table with open addressing: one more than the number of a home; 0 where there is none. */
let slots: usize = 0
let slotMask: u32 = 0
/** The contents that stand for others, and the layer of each. */
let homes: usize = 0
let homeLayers: usize = 0
let homeCount: u32 = 0
/** Room for the homes of a layer while they are sorted. */
let otherHomes: usize = 0
/** Pairs: a content that has its home elsewhere, and the number of that home. */
let doubles: usize = 0
let doubleCount: u32 = 0
/** Identities that collide can be looked for, but not for a factor that nobody knows. */
let factor: u64 = 0

export function reserve(leaves: u32, contents: u32, textBytes: u32, secret: u32): void {
  reserveColumns(leaves, contents, textBytes)
  factor = ((<u64>secret) << 32) | ((<u64>secret) << 1) | 1
  let slotCount: u32 = 1024
  while (slotCount < 2 * contents) slotCount *= 2
  slotMask = slotCount - 1
  live = reserveBytes(contents)
  slots = reserveBytes(4 * <u64>slotCount)
  homes = reserveBytes(4 * <u64>contents)
  homeLayers = reserveBytes(4 * <u64>contents)
  otherHomes = reserveBytes(4 * <u64>contents)
  doubles = reserveBytes(8 * <u64>contents)
}

/** Marks the contents of a layer that files of the image have. */
export function markLive(leaf: u32, leaves: u32, content: u32, fileKind: u32): void {
  const named = addressOf(Column.named)
  const kinds = addressOf(Column.kinds)
  for (let index = leaf; index < leaf + leaves; index += 1) {
    if (load<u8>(named + index) === 0 || <u32>load<u8>(kinds + index) !== fileKind) continue
    store<u8>(live + content + at(Column.firsts, index), 1)
  }
}

/** The contents of lower layers must have been added before. */
export function addContents(layer: u32, content: u32, contents: u32): void {
  const sizes = addressOf(Column.sizes)
  for (let index = content; index < content + contents; index += 1) {
    if (load<u8>(live + index) === 1 && load<f64>(sizes + 8 * index) !== 0) add(layer, index)
  }
}

function add(layer: u32, content: u32): void {
  let slot = hash(content) & slotMask
  for (; load<u32>(slots + 4 * slot) !== 0; slot = (slot + 1) & slotMask) {
    const home = load<u32>(slots + 4 * slot) - 1
    const known = load<u32>(homes + 4 * home)
    if (!isEqual(content, known)) continue
    // packed twice in one layer, and met in the other order
    const isFirst = load<u32>(homeLayers + 4 * home) === layer && isBefore(content, known)
    if (isFirst) store<u32>(homes + 4 * home, content)
    store<u32>(doubles + 8 * doubleCount, isFirst ? known : content)
    store<u32>(doubles + 8 * doubleCount, home, 4)
    doubleCount += 1
    return
  }
  store<u32>(homes + 4 * homeCount, content)
  store<u32>(homeLayers + 4 * homeCount, layer)
  homeCount += 1
  store<u32>(slots + 4 * slot, homeCount)
}

/** Of the last bytes: identities are digests, and those of small files begin alike. */
function hash(content: u32): u32 {
  const start = addressOf(Column.text) + at(Column.identityStarts, content)
  const length = at(Column.identityLengths, content)
  let value: u64 = factor
  for (let index = length > 16 ? length - 16 : 0; index < length; index += 1) {
    value = (value ^ load<u8>(start + index)) * factor
    value ^= value >>> 32
  }
  return <u32>value
}

function isEqual(a: u32, b: u32): bool {
  const length = at(Column.identityLengths, a)
  if (at(Column.identityLengths, b) !== length) return false
  const text = addressOf(Column.text)
  const startA = text + at(Column.identityStarts, a)
  return memory.compare(startA, text + at(Column.identityStarts, b), length) === 0
}

/** Leads doubles to the contents that are their homes, and puts the homes of each layer in order. */
export function finish(): void {
  for (let index: u32 = 0; index < doubleCount; index += 1) {
    const pair = doubles + 8 * index
    store<u32>(pair, load<u32>(homes + 4 * load<u32>(pair, 4)), 4)
  }
  for (let start: u32 = 0; start < homeCount; ) {
    const layer = load<u32>(homeLayers + 4 * start)
    let end = start + 1
    while (end < homeCount && load<u32>(homeLayers + 4 * end) === layer) end += 1
    sort(homes + 4 * start, otherHomes, end - start, isBefore)
    start = end
  }
}

export function homesStart(): usize {
  return homes
}

/** How many contents have been found to stand for themselves so far. */
export function homesFound(): u32 {
  return homeCount
}

export function doublesStart(): usize {
  return doubles
}

export function doublesFound(): u32 {
  return doubleCount
}
