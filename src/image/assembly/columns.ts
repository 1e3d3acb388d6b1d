/** What an index is decoded into. Columns are given out anew for each: memory is not cleared in between. */
import { noMemory } from '../../assembly/no-memory'

/** In the order of `decodedColumns` (entry-decoder-module.ts). */
export namespace Column {
  /** The index itself, and the sizes of its fragments: JavaScript puts them there. */
  export const text = 0
  export const fragmentSizes = 1
  // of the entries
  export const kinds = 2
  export const modes = 3
  export const pathStarts = 4
  export const pathLengths = 5
  export const uids = 6
  export const gids = 7
  export const mtimes = 8
  export const firsts = 9
  export const seconds = 10
  /** Pairs: an entry that has extended attributes, and where their number stands. */
  export const xattrs = 11
  // of the contents
  export const sizes = 12
  export const positions = 13
  export const identityStarts = 14
  export const identityLengths = 15
  export const fragments = 16
  export const offsets = 17
  export const blockStarts = 18
  export const blocks = 19
}

const addresses = memory.data(4 * 20)
let nextFree: u64 = 0

export function addressOf(column: i32): usize {
  return load<u32>(addresses + 4 * column)
}

function place(column: i32, values: u64, valueBytes: u64): void {
  nextFree = (nextFree + 7) & ~(<u64>7)
  store<u32>(addresses + 4 * column, <u32>nextFree)
  nextFree += values * valueBytes
  if (nextFree > 0xffff_0000) noMemory()
}

/** Room for an index of so many bytes, of which `entriesStart` come before the entries. */
export function reserve(textBytes: u32, entriesStart: u32, entries: u32, fragments: u32): void {
  nextFree = __heap_base
  place(Column.text, textBytes, 1)
  place(Column.fragmentSizes, fragments, 4)
  place(Column.kinds, entries, 1)
  place(Column.modes, entries, 2)
  for (let column = Column.pathStarts; column <= Column.seconds; column += 1) {
    place(column, entries, 4)
  }
  place(Column.xattrs, entries, 8)
  place(Column.sizes, entries, 8)
  place(Column.positions, entries, 8)
  for (let column = Column.identityStarts; column <= Column.offsets; column += 1) {
    place(column, entries, 4)
  }
  place(Column.blockStarts, <u64>entries + 1, 4)
  // each takes a byte at least
  place(Column.blocks, textBytes - entriesStart, 4)
  const missing = <i64>((nextFree + 65535) >> 16) - <i64>memory.size()
  if (missing > 0 && memory.grow(<i32>missing) < 0) noMemory()
}

export function set(column: i32, index: u32, value: u32): void {
  store<u32>(addressOf(column) + 4 * index, value)
}
