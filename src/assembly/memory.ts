/** Memory that is given out once and never taken back: an instance of a module serves one image. */
import { noMemory } from './no-memory'

let nextFree: u64 = 0

/** @returns where so many bytes begin, all of them zero. */
export function reserve(bytes: u64): usize {
  if (nextFree === 0) nextFree = __heap_base
  const start = (nextFree + 15) & ~(<u64>15)
  nextFree = start + bytes
  const pages = (nextFree + 65535) >> 16
  const missing = <i64>pages - <i64>memory.size()
  if (pages > 65535 || (missing > 0 && memory.grow(<i32>missing) < 0)) noMemory()
  return <usize>start
}
