/**
 * Finds a match within a block for bytes whose own match is lost: chains of positions with one hash of
 * four bytes, as in zlib. Positions are added only when something is looked for behind them.
 */
import { chainHeads, chainLinks, hashBits } from './memory-map'
import { maxDistance, maxMatch, minMatch } from './sequence'

/** Candidates that are compared with the bytes. */
let maxTries: i32 = 0
const goodLength: u32 = 64

/** Numbers of positions go on from block to block, so that older ones need no clearing. */
let base: u32 = 0
let inserted: u32 = 0
let block: usize = 0
let blockBytes: u32 = 0

export let foundDistance: u32 = 0

export function setSearch(tries: i32): void {
  maxTries = tries
}

export function beginSearch(bytes: usize, count: u32): void {
  base += blockBytes + 1
  if (base > 0x70000000 || base == 1) {
    base = 1
    memory.fill(chainHeads, 0, 4 << hashBits)
  }
  block = bytes
  blockBytes = count
  inserted = 0
}

function bucketOf(at: usize): usize {
  return chainHeads + ((<usize>((load<u32>(at) * 2654435761) >> (32 - hashBits))) << 2)
}

function insertUpTo(position: u32): void {
  const end = min(position, blockBytes - 3)
  for (let i = inserted; i < end; i += 1) {
    const bucket = bucketOf(block + i)
    store<u32>(chainLinks + ((<usize>i) << 2), load<u32>(bucket))
    store<u32>(bucket, base + i)
  }
  inserted = max(inserted, end)
}

/**
 * The longest match for the bytes at a position.
 * @returns its length, 0 when none is longer than atLeast - 1; foundDistance is then set.
 */
export function findMatch(position: u32, atLeast: u32): u32 {
  if (position + 4 > blockBytes) return 0
  insertUpTo(position)
  const most = min(maxMatch, blockBytes - position)
  const here = block + position
  let best = max(atLeast, 4) - 1
  if (best >= most) return 0
  // a short match gains little by being a little longer
  let tries = atLeast > minMatch + 1 && atLeast < 8 ? maxTries >> 2 : maxTries
  let candidate = load<u32>(bucketOf(here))
  const lowest = position > maxDistance ? base + position - maxDistance : base
  let found: u32 = 0
  while (candidate >= lowest && tries > 0) {
    const from = block + (candidate - base)
    if (load<u32>(from + best - 3) == load<u32>(here + best - 3)) {
      const length = commonLength(from, here, most)
      if (length > best) {
        best = length
        found = length
        foundDistance = <u32>(here - from)
        if (length >= goodLength || length == most) break
      }
    }
    tries -= 1
    candidate = load<u32>(chainLinks + ((<usize>(candidate - base)) << 2))
  }
  return found
}

/** How many bytes are equal; may look 7 bytes beyond the most. */
export function commonLength(a: usize, b: usize, most: u32): u32 {
  let length: u32 = 0
  while (length < most) {
    const difference = load<u64>(a + length) ^ load<u64>(b + length)
    if (difference != 0) return min(most, length + <u32>(ctz(difference) >> 3))
    length += 8
  }
  return most
}
