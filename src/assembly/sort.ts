/**
 * Sorts a list of u32s, stably. What is in order already, as most of it is, costs one look at each.
 * @param spare Room for as many.
 * @returns whether anything has another place now.
 */
export function sort(
  list: usize,
  spare: usize,
  count: u32,
  isBefore: (a: u32, b: u32) => bool,
): bool {
  let isSorted = true
  for (let index: u32 = 1; index < count && isSorted; index += 1) {
    isSorted = !isBefore(load<u32>(list + 4 * index), load<u32>(list + 4 * (index - 1)))
  }
  if (isSorted) return false
  let from = list
  let to = spare
  for (let run: u32 = 1; run < count; run *= 2) {
    for (let start: u32 = 0; start < count; start += 2 * run) {
      merge(from, to, start, min(start + run, count), min(start + 2 * run, count), isBefore)
    }
    const other = from
    from = to
    to = other
  }
  if (from !== list) memory.copy(list, from, 4 * count)
  return true
}

/** Merges two runs that are in order. */
function merge(
  from: usize,
  to: usize,
  start: u32,
  middle: u32,
  end: u32,
  isBefore: (a: u32, b: u32) => bool,
): void {
  let left = start
  let right = middle
  for (let index = start; index < end; index += 1) {
    const isRight =
      left === middle ||
      (right < end && isBefore(load<u32>(from + 4 * right), load<u32>(from + 4 * left)))
    store<u32>(to + 4 * index, load<u32>(from + 4 * (isRight ? right : left)))
    if (isRight) right += 1
    else left += 1
  }
}
