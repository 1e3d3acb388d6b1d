/** Columns of values, by number: JavaScript asks where they are, and fills them or copies them out. */
import { reserve } from './memory'

/** More than any module has. */
const mostColumns = 32
const addresses = memory.data(4 * mostColumns)

export function addressOf(column: i32): usize {
  return load<u32>(addresses + 4 * column)
}

export function reserveColumn(column: i32, count: u64, valueBytes: u32): void {
  store<u32>(addresses + 4 * column, <u32>reserve(count * valueBytes))
}

/** A value of a column of u32s. */
export function at(column: i32, index: u32): u32 {
  return load<u32>(addressOf(column) + 4 * index)
}

export function setAt(column: i32, index: u32, value: u32): void {
  store<u32>(addressOf(column) + 4 * index, value)
}
