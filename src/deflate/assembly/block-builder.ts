/**
 * Collects the bytes of a block from chunks of output, with the sequences they came from. What a match's
 * distance means is kept by extents: runs of bytes that lie together in the archive.
 *
 * A builder, 32 bytes: where its bytes, sequences and extents lie, how many of each, literals since the
 * last sequence, and the archive position after its last byte. An extent, 8 bytes: offset in the block,
 * position in the archive (modulo 2^32: no distance is longer than 32 KiB).
 */

import { inflatedStart, sequencesEnd } from './inflate'
import {
  builderBytes0,
  builderBytes1,
  builderExtents0,
  builderExtents1,
  builderSequences0,
  builderSequences1,
  maxExtents,
  outputSequences,
} from './memory-map'
import {
  distanceOf,
  isMatch,
  lengthOf,
  literalsOf,
  minMatch,
  writeMatch,
  writeRun,
} from './sequence'

@unmanaged
export class Builder {
  bytes: usize = 0
  sequences: usize = 0
  extents: usize = 0
  filled: u32 = 0
  sequenceCount: u32 = 0
  extentCount: u32 = 0
  literals: u32 = 0
  nextPosition: u32 = 0
  /** Where a file began: what truncate returns to, and cut begins the next block with. */
  markFilled: u32 = 0
  markSequences: u32 = 0
  markExtents: u32 = 0
}

const builders = memory.data(2 * 48)

export function builderOf(number: i32): Builder {
  return changetype<Builder>(builders + number * 48)
}

export function beginBuilders(): void {
  memory.fill(builders, 0, 2 * 48)
  const large = builderOf(0)
  large.bytes = builderBytes0
  large.sequences = builderSequences0
  large.extents = builderExtents0
  const small = builderOf(1)
  small.bytes = builderBytes1
  small.sequences = builderSequences1
  small.extents = builderExtents1
}

/** Where the next append will look for the sequences of its bytes: they come in the order of the chunk. */
let cursor: usize = 0
/** Bytes of the sequence at the cursor that lie before cursorAt. */
let cursorUsed: u32 = 0
let cursorAt: usize = 0

/** The chunk just inflated is what the next appends take from. */
export function rewindSequences(): void {
  cursor = outputSequences
  cursorUsed = 0
  cursorAt = inflatedStart()
}

/** Ends the run of literals, so that what follows can be taken away or moved. */
export function markBuilder(number: i32): void {
  const builder = builderOf(number)
  closeRun(builder)
  builder.markFilled = builder.filled
  builder.markSequences = builder.sequenceCount
  builder.markExtents = builder.extentCount
}

export function truncateBuilder(number: i32): void {
  const builder = builderOf(number)
  builder.filled = builder.markFilled
  builder.sequenceCount = builder.markSequences
  builder.extentCount = builder.markExtents
  builder.literals = 0
}

/** Drops what was encoded: everything, or all before the mark. */
export function dropBlock(number: i32, toMark: bool): void {
  const builder = builderOf(number)
  const filled = toMark ? builder.markFilled : builder.filled
  const sequences = toMark ? builder.markSequences : builder.sequenceCount
  const extents = toMark ? builder.markExtents : builder.extentCount
  memory.copy(builder.bytes, builder.bytes + filled, builder.filled - filled)
  builder.sequenceCount -= sequences
  memory.copy(
    builder.sequences,
    builder.sequences + ((<usize>sequences) << 2),
    builder.sequenceCount << 2,
  )
  builder.extentCount -= extents
  memory.copy(builder.extents, builder.extents + ((<usize>extents) << 3), builder.extentCount << 3)
  builder.filled -= filled
  for (let i: u32 = 0; i < builder.extentCount; i += 1) {
    const at = builder.extents + ((<usize>i) << 3)
    store<u32>(at, load<u32>(at) - filled)
  }
  if (!toMark) builder.literals = 0
  builder.markFilled = 0
  builder.markSequences = 0
  builder.markExtents = 0
}

function sequencesEndOf(builder: Builder): usize {
  return builder.sequences + ((<usize>builder.sequenceCount) << 2)
}

function endSequencesAt(builder: Builder, end: usize): void {
  builder.sequenceCount = <u32>((end - builder.sequences) >> 2)
  builder.literals = 0
}

function closeRun(builder: Builder): void {
  endSequencesAt(builder, writeRun(sequencesEndOf(builder), builder.literals))
}

function openExtent(builder: Builder, position: u32): void {
  if (builder.extentCount > 0 && builder.nextPosition == position) return
  if (builder.extentCount >= maxExtents) return
  const at = builder.extents + ((<usize>builder.extentCount) << 3)
  store<u32>(at, builder.filled)
  store<u32>(at, position, 4)
  builder.extentCount += 1
}

/** Zeros that the archive leaves out. */
export function appendZeros(number: i32, count: u32): void {
  const builder = builderOf(number)
  // a position that no distance reaches: a match is looked for where zeros are
  openExtent(builder, builder.nextPosition + 0x10000)
  memory.fill(builder.bytes + builder.filled, 0, count)
  let rest = count
  while (rest >= minMatch) {
    const part = min(rest, <u32>258)
    pushMatch(builder, part, 1)
    rest -= part
  }
  builder.literals += rest
  builder.filled += count
  builder.nextPosition += 0x10000 + count
}

function pushMatch(builder: Builder, length: u32, distance: u32): void {
  const at = sequencesEndOf(builder)
  endSequencesAt(builder, writeMatch(at, builder.literals, length, distance))
}

/**
 * Appends bytes of the chunk. Calls follow the order of the chunk.
 * @param position Of the first byte in the archive.
 */
export function appendInflated(number: i32, start: usize, count: u32, position: u32): void {
  const builder = builderOf(number)
  openExtent(builder, position)
  builder.nextPosition = position + count
  memory.copy(builder.bytes + builder.filled, start, count)
  builder.filled += count
  skipTo(start)
  takeSequences(builder, start + count)
}

function spanOf(sequence: u32): u32 {
  return literalsOf(sequence) + (isMatch(sequence) ? lengthOf(sequence) : 0)
}

/** Moves the cursor over headers and padding. */
function skipTo(start: usize): void {
  const end = sequencesEnd()
  while (cursorAt < start && cursor < end) {
    const rest = spanOf(load<u32>(cursor)) - cursorUsed
    const distance = <u32>(start - cursorAt)
    if (distance < rest) {
      cursorUsed += distance
      cursorAt = start
      return
    }
    cursorAt += rest
    cursor += 4
    cursorUsed = 0
  }
}

/** A sequence that is cut leaves a shorter match, or literals where less than a match is left. */
function takeSequences(builder: Builder, stop: usize): void {
  const end = sequencesEnd()
  while (cursorAt < stop && cursor < end) {
    const sequence = load<u32>(cursor)
    const span = spanOf(sequence)
    const until = min(span, cursorUsed + <u32>(stop - cursorAt))
    takePart(builder, sequence, cursorUsed, until)
    cursorAt += until - cursorUsed
    if (until < span) {
      cursorUsed = until
      return
    }
    cursor += 4
    cursorUsed = 0
  }
}

function takePart(builder: Builder, sequence: u32, from: u32, until: u32): void {
  const literals = literalsOf(sequence)
  if (from == 0 && builder.literals == 0 && until == spanOf(sequence)) {
    store<u32>(builder.sequences + ((<usize>builder.sequenceCount) << 2), sequence)
    builder.sequenceCount += 1
    return
  }
  if (from < literals) builder.literals += min(literals, until) - from
  if (until <= literals) return
  const length = until - max(from, literals)
  if (length < minMatch) builder.literals += length
  else pushMatch(builder, length, distanceOf(sequence))
}
