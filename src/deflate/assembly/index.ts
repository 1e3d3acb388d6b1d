/**
 * A layer's deflate stream made into the zlib streams of squashfs blocks without looking for its matches
 * a second time. One instance serves one layer.
 */
import { beginBuilders, builderOf } from './block-builder'
import { chooseSequences, setDoubt } from './choose-sequences'
import { writeStream } from './deflate-writer'
import { beginInflate } from './inflate'
import { setSearch } from './match-search'
import { chosenSequences, input, inputBytes, layOutMemory, stored } from './memory-map'
import { fillSymbolTables } from './symbol-counts'

export {
  appendInflated,
  appendZeros,
  dropBlock,
  markBuilder,
  rewindSequences,
  truncateBuilder,
} from './block-builder'
export {
  beginStream,
  inflate as inflateInto,
  inflatedEnd,
  inflatedStart,
  inputPosition,
} from './inflate'

/**
 * @param tries How many candidates a search for a match looks at.
 * @param doubtful Matches of the layer's own stream that are shorter are searched for longer ones; 0: none.
 */
export function begin(blockBytes: u32, tries: i32, doubtful: u32): void {
  setSearch(tries)
  setDoubt(doubtful)
  layOutMemory(blockBytes)
  fillSymbolTables()
  beginInflate()
  beginBuilders()
}

export function inputStart(): usize {
  return input
}

export function inputCapacity(): usize {
  return inputBytes
}

export function storedStart(): usize {
  return stored
}

export function builderStart(number: i32): usize {
  return builderOf(number).bytes
}

export function builderFilled(number: i32, toMark: bool): u32 {
  const builder = builderOf(number)
  return toMark ? builder.markFilled : builder.filled
}

/**
 * Encodes the first bytes of a builder: all of them, or those before the mark.
 * @returns the length of the zlib stream at storedStart, 0 when it is not shorter than the bytes.
 */
export function encodeBlock(number: i32, toMark: bool): u32 {
  const builder = builderOf(number)
  const count = toMark ? builder.markFilled : builder.filled
  const sequences = toMark ? builder.markSequences : builder.sequenceCount
  const end = chooseSequences(builder, count, sequences)
  return writeStream(builder.bytes, count, chosenSequences, end, count - 1)
}

/** What another instance needs to encode the same part, beside the bytes. */
export function sequencesStart(number: i32): usize {
  return builderOf(number).sequences
}

export function sequencesFilled(number: i32, toMark: bool): u32 {
  const builder = builderOf(number)
  return toMark ? builder.markSequences : builder.sequenceCount
}

export function extentsStart(number: i32): usize {
  return builderOf(number).extents
}

export function extentsFilled(number: i32, toMark: bool): u32 {
  const builder = builderOf(number)
  return toMark ? builder.markExtents : builder.extentCount
}

/** Makes what was written to a builder's memory its contents. */
export function setBuilder(number: i32, filled: u32, sequences: u32, extents: u32): void {
  const builder = builderOf(number)
  builder.filled = filled
  builder.sequenceCount = sequences
  builder.extentCount = extents
}
