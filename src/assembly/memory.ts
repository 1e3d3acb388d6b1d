/** Memory that is given out piece by piece: an instance of most modules serves one image. */
import { noMemory } from './no-memory'

let nextFree: u64 = 0

/** Gives all of it out again, with whatever is there. */
export function reuseMemory(): void {
  nextFree = 0
}

/** @returns where so many bytes begin, all of them zero until `reuseMemory`. */
export function reserve(bytes: u64): usize {
  if (nextFree === 0) nextFree = __heap_base
  const start = (nextFree + 15) & ~(<u64>15)
  nextFree = start + bytes
  const pages = (nextFree + 65535) >> 16
  const missing = <i64>pages - <i64>memory.size()
  if (pages > 65535 || (missing > 0 && memory.grow(<i32>missing) < 0)) noMemory()
  return <usize>start
}
