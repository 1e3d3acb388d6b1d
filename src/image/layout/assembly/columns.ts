/** What JavaScript puts into this memory: columns of leaves and of contents, of all layers one after the other. */
import { addressOf, at, reserveColumn } from '../../../assembly/columns'

/** In the order of `homeColumns` (content-homes-module.ts). */
export namespace Column {
  /** Of the leaves: whether a name of the image leads to it, its kind, and the number of its content in its layer. */
  export const named = 0
  export const kinds = 1
  export const firsts = 2
  // of the contents
  export const sizes = 3
  export const positions = 4
  export const fragments = 5
  export const offsets = 6
  export const identityStarts = 7
  export const identityLengths = 8
  /** Indexes of the layers; identities are places in them. */
  export const text = 9
}

export function reserveColumns(leaves: u32, contents: u32, textBytes: u32): void {
  reserveColumn(Column.named, leaves, 1)
  reserveColumn(Column.kinds, leaves, 1)
  reserveColumn(Column.firsts, leaves, 4)
  reserveColumn(Column.sizes, contents, 8)
  reserveColumn(Column.positions, contents, 8)
  for (let column = Column.fragments; column <= Column.identityLengths; column += 1) {
    reserveColumn(column, contents, 4)
  }
  reserveColumn(Column.text, textBytes, 1)
}

/** Order of the packed bytes of one layer: tails before contents with blocks of their own. */
export function isBefore(a: u32, b: u32): bool {
  const positions = addressOf(Column.positions)
  const positionA = load<f64>(positions + 8 * a)
  const positionB = load<f64>(positions + 8 * b)
  if (positionA !== positionB) return positionA < positionB
  const fragmentA = <i32>at(Column.fragments, a)
  const fragmentB = <i32>at(Column.fragments, b)
  if (fragmentA !== fragmentB) return fragmentA < fragmentB
  return at(Column.offsets, a) < at(Column.offsets, b)
}
