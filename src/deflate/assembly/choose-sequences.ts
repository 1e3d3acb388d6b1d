/**
 * Chooses the sequences of a block: the matches of the layer's own stream where they lie within the
 * block, found anew where what they refer to lies before it, in a header or in a file that was left out.
 * Short ones may have longer ones beside them, which the layer's writer did not look for.
 * Every match is compared with the bytes it stands for: a wrong one can make a block longer, never wrong.
 */
import { Builder } from './block-builder'
import { beginSearch, commonLength, findMatch, foundDistance } from './match-search'
import { chosenSequences } from './memory-map'
import {
  distanceOf,
  isMatch,
  lengthOf,
  literalsOf,
  maxDistance,
  minMatch,
  writeMatch,
  writeRun,
} from './sequence'

/** Own matches shorter than this are tried to be bettered. */
let doubtfulLength: u32 = 0

export function setDoubt(length: u32): void {
  doubtfulLength = length
}

let bytes: usize = 0
let _blockBytes: u32 = 0
let to: usize = 0
/** Bytes that are in a match, or passed over as literals. */
let position: u32 = 0
let literals: u32 = 0
let extent: usize = 0
let extentsStart: usize = 0
let extentsEnd: usize = 0

/** @returns the end of the sequences of the first bytes of a builder. */
export function chooseSequences(builder: Builder, count: u32, sequenceCount: u32): usize {
  bytes = builder.bytes
  _blockBytes = count
  to = chosenSequences
  position = 0
  literals = 0
  extentsStart = builder.extents
  extent = extentsStart
  extentsEnd = extentsStart + ((<usize>builder.extentCount) << 3)
  beginSearch(bytes, count)
  chooseAll(builder.sequences, builder.sequences + ((<usize>sequenceCount) << 2))
  return writeRun(to, literals + count - position)
}

function chooseAll(start: usize, end: usize): void {
  let reached: u32 = 0
  for (let at = start; at < end; at += 4) {
    const sequence = load<u32>(at)
    reached += literalsOf(sequence)
    if (position < reached) {
      literals += reached - position
      position = reached
    }
    if (!isMatch(sequence)) continue
    reached += lengthOf(sequence)
    if (position < reached) coverMatch(reached, distanceOf(sequence))
  }
}

/** Matches the bytes up to `end`, which the layer's stream took from this far back. */
function coverMatch(end: u32, distance: u32): void {
  while (position < end) {
    const wanted = end - position
    const own = distanceInBlock(distance)
    let length: u32 = 0
    if (own > 0) length = commonLength(bytes + position - own, bytes + position, wanted)
    let best = own
    if (length < wanted || length < doubtfulLength) {
      const found = findMatch(position, length + 1)
      if (found > length) {
        length = found
        best = foundDistance
      }
    }
    if (length < minMatch) {
      literals += 1
      position += 1
    } else push(length, best)
  }
}

function push(length: u32, distance: u32): void {
  to = writeMatch(to, literals, length, distance)
  literals = 0
  position += length
}

function offsetOf(at: usize): u32 {
  return load<u32>(at)
}

function archivePositionOf(at: usize): u32 {
  return load<u32>(at, 4)
}

/** How far back in the block the bytes lie that were so far back in the archive; 0 when they are not there. */
function distanceInBlock(distance: u32): u32 {
  while (extent + 8 < extentsEnd && offsetOf(extent + 8) <= position) extent += 8
  const here = archivePositionOf(extent) + (position - offsetOf(extent))
  const wanted = here - distance
  let source = extent
  // the difference of two positions is small and may be negative
  while (<i32>(wanted - archivePositionOf(source)) < 0) {
    if (source == extentsStart) return 0
    source -= 8
  }
  const from = offsetOf(source) + (wanted - archivePositionOf(source))
  if (from >= position) return 0
  const inBlock = position - from
  return inBlock <= maxDistance ? inBlock : 0
}
