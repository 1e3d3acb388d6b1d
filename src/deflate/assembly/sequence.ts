/**
 * A sequence: a run of literals and, unless it is bare, the match after them. 32 bits: is a match bit 31,
 * literals bits 23–30, length - 3 bits 15–22, distance - 1 bits 0–14 (RFC 1951 § 3.2.5: lengths 3 to
 * 258, distances 1 to 32768). Longer runs are several bare sequences.
 */

export const maxLiterals: u32 = 255
export const minMatch: u32 = 3
export const maxMatch: u32 = 258
export const maxDistance: u32 = 32768

export function matchSequence(literals: u32, length: u32, distance: u32): u32 {
  return 0x80000000 | (literals << 23) | ((length - minMatch) << 15) | (distance - 1)
}

export function bareSequence(literals: u32): u32 {
  return literals << 23
}

/** Writes a run of literals that no match follows. @returns the end of what was written. */
export function writeRun(at: usize, literals: u32): usize {
  while (literals > 0) {
    const part = min(literals, maxLiterals)
    store<u32>(at, bareSequence(part))
    at += 4
    literals -= part
  }
  return at
}

/** Writes a run of literals and the match after it. @returns the end of what was written. */
export function writeMatch(at: usize, literals: u32, length: u32, distance: u32): usize {
  while (literals > maxLiterals) {
    store<u32>(at, bareSequence(maxLiterals))
    at += 4
    literals -= maxLiterals
  }
  store<u32>(at, matchSequence(literals, length, distance))
  return at + 4
}

export function isMatch(sequence: u32): bool {
  return (sequence & 0x80000000) != 0
}

export function literalsOf(sequence: u32): u32 {
  return (sequence >> 23) & 0xff
}

export function lengthOf(sequence: u32): u32 {
  return ((sequence >> 15) & 0xff) + minMatch
}

export function distanceOf(sequence: u32): u32 {
  return (sequence & 0x7fff) + 1
}
