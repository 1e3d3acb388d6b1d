/** What an index is decoded into. Columns are given out anew for each: memory is not cleared in between. */
import { reserveColumn } from '../../assembly/columns'
import { reuseMemory } from '../../assembly/memory'

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

/** Room for an index of so many bytes, of which `entriesStart` come before the entries. */
export function reserve(textBytes: u32, entriesStart: u32, entries: u32, fragments: u32): void {
  reuseMemory()
  reserveColumn(Column.text, textBytes, 1)
  reserveColumn(Column.fragmentSizes, fragments, 4)
  reserveColumn(Column.kinds, entries, 1)
  reserveColumn(Column.modes, entries, 2)
  for (let column = Column.pathStarts; column <= Column.seconds; column += 1) {
    reserveColumn(column, entries, 4)
  }
  reserveColumn(Column.xattrs, entries, 8)
  reserveColumn(Column.sizes, entries, 8)
  reserveColumn(Column.positions, entries, 8)
  for (let column = Column.identityStarts; column <= Column.offsets; column += 1) {
    reserveColumn(column, entries, 4)
  }
  reserveColumn(Column.blockStarts, <u64>entries + 1, 4)
  // each takes a byte at least
  reserveColumn(Column.blocks, textBytes - entriesStart, 4)
}
