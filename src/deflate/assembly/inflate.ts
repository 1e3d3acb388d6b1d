/**
 * Decodes a deflate stream (RFC 1951) and keeps, beside the bytes, the sequences they came from. Bits are
 * taken 56 at a time, as libdeflate does; a call stops between two symbols, never inside one.
 */
import {
  buildDecodingTable,
  endMark,
  exceptionMark,
  kindDistance,
  kindLiteral,
  kindPrecode,
  subtableMark,
} from './decoding-table'
import {
  inputSlackBytes,
  output,
  outputBytes,
  outputSequences,
  outputSlackBytes,
  windowBytes,
} from './memory-map'
import { writeMatch, writeRun } from './sequence'

export const needsInput: i32 = 0
export const outputIsFull: i32 = 1
export const streamEnd: i32 = 2
export const badStream: i32 = 3

const literalBits: u32 = 11
const distanceBits: u32 = 8
const precodeBits: u32 = 7

const literalTable = memory.data(4 * 4096)
const distanceTable = memory.data(4 * 1024)
const precodeTable = memory.data(4 * 128)
const lengths = memory.data(320 + 16)

const stateBlockHeader: i32 = 0
const stateStored: i32 = 1
const stateSymbols: i32 = 2
const stateDone: i32 = 3

let state: i32 = stateDone
let isLastBlock: bool = false
let storedRest: u32 = 0
let bitBuffer: u64 = 0
let bitCount: u32 = 0
/** Where the next input byte is; behind bytes that are in the bit buffer already. */
let inputAt: usize = 0
let outputAt: usize = 0
let chunkStart: usize = 0
/** The first byte that a match may reach back to. */
let historyStart: usize = 0
let sequenceAt: usize = 0
/** Literals since the last match of this chunk. */
let literalStart: usize = 0

export function beginInflate(): void {
  outputAt = output + windowBytes
  chunkStart = outputAt
  historyStart = outputAt
}

/** A new stream, a gzip member's: nothing before it can be matched. */
export function beginStream(): void {
  state = stateBlockHeader
  bitBuffer = 0
  bitCount = 0
  historyStart = outputAt
}

export function inflatedStart(): usize {
  return chunkStart
}

export function inflatedEnd(): usize {
  return outputAt
}

export function sequencesEnd(): usize {
  return sequenceAt
}

/** The first byte of the input that is not used: whole bytes in the bit buffer are given back. */
export function inputPosition(): usize {
  return inputAt
}

/**
 * Decodes into a new chunk of output; what the last call made is then no longer there, but for the window.
 * @param isEnd No input follows; zeros stand after its end.
 */
export function inflate(start: usize, end: usize, isEnd: bool): i32 {
  beginChunk()
  inputAt = start
  let status = decode(end, isEnd)
  closeRun()
  giveBack()
  if (isEnd && inputAt > end) status = badStream
  return status
}

function beginChunk(): void {
  const bound = output + windowBytes
  if (outputAt > bound) {
    const shift = outputAt - bound
    memory.copy(output, output + shift, windowBytes)
    historyStart = historyStart > output + shift ? historyStart - shift : output
    outputAt = bound
  }
  chunkStart = outputAt
  literalStart = outputAt
  sequenceAt = outputSequences
}

function decode(end: usize, isEnd: bool): i32 {
  // symbols are read from the bit buffer, which may hold bytes beyond the end
  const bound = isEnd ? end + inputSlackBytes / 8 : end - inputSlackBytes
  while (true) {
    if (state == stateDone) return streamEnd
    if (outputAt >= chunkStart + outputBytes) return outputIsFull
    if (isEnd ? inputAt - (bitCount >> 3) > end : inputAt > bound) {
      return isEnd ? badStream : needsInput
    }
    let isGood = true
    if (state == stateBlockHeader) isGood = readBlockHeader()
    else if (state == stateStored) isGood = copyStored(end)
    else isGood = decodeSymbols(bound)
    if (!isGood) return badStream
  }
}

function refill(): void {
  bitBuffer |= load<u64>(inputAt) << bitCount
  inputAt += (63 - bitCount) >> 3
  bitCount |= 56
}

function take(bits: u32): u32 {
  const value = <u32>bitBuffer & ((1 << bits) - 1)
  bitBuffer >>= bits
  bitCount -= bits
  return value
}

/** Gives whole bytes of the bit buffer back to the input. */
function giveBack(): void {
  inputAt -= bitCount >> 3
  bitCount &= 7
  bitBuffer &= (1 << bitCount) - 1
}

function endBlock(): void {
  state = isLastBlock ? stateDone : stateBlockHeader
  if (isLastBlock) {
    giveBack()
    bitCount = 0
    bitBuffer = 0
  }
}

function readBlockHeader(): bool {
  refill()
  isLastBlock = take(1) != 0
  const type = take(2)
  if (type == 0) return readStoredHeader()
  if (type == 1) return useFixedCodes()
  return type == 2 && readDynamicCodes()
}

function readStoredHeader(): bool {
  take(bitCount & 7)
  giveBack()
  bitBuffer = 0
  bitCount = 0
  const length = <u32>load<u16>(inputAt)
  const complement = <u32>load<u16>(inputAt + 2)
  inputAt += 4
  storedRest = length
  state = stateStored
  return (length ^ complement) == 0xffff
}

/** @returns false when the input ends inside. */
function copyStored(end: usize): bool {
  giveBack()
  const available = <u32>(end - inputAt)
  const room = <u32>(chunkStart + outputBytes + outputSlackBytes / 2 - outputAt)
  const count = min(storedRest, min(available, room))
  memory.copy(outputAt, inputAt, count)
  outputAt += count
  inputAt += count
  storedRest -= count
  if (storedRest == 0) endBlock()
  return count > 0 || storedRest == 0
}

function useFixedCodes(): bool {
  memory.fill(lengths, 8, 144)
  memory.fill(lengths + 144, 9, 112)
  memory.fill(lengths + 256, 7, 24)
  memory.fill(lengths + 280, 8, 8)
  const isGood = buildDecodingTable(literalTable, literalBits, kindLiteral, lengths, 288)
  memory.fill(lengths, 5, 32)
  state = stateSymbols
  return isGood && buildDecodingTable(distanceTable, distanceBits, kindDistance, lengths, 32)
}

/** Order of the lengths of the code length code (RFC 1951 § 3.2.7). */
const precodeOrder = memory.data<u8>([
  16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15,
])

function readDynamicCodes(): bool {
  refill()
  const literalCodes = take(5) + 257
  const distanceCodes = take(5) + 1
  const precodeCodes = take(4) + 4
  if (literalCodes > 286 || distanceCodes > 30) return false
  memory.fill(lengths, 0, 19)
  for (let i: u32 = 0; i < precodeCodes; i += 1) {
    if (bitCount < 3) refill()
    store<u8>(lengths + load<u8>(precodeOrder + i), <u8>take(3))
  }
  if (!buildDecodingTable(precodeTable, precodeBits, kindPrecode, lengths, 19)) return false
  if (!readCodeLengths(literalCodes + distanceCodes)) return false
  if (load<u8>(lengths + 256) == 0) return false
  state = stateSymbols
  return (
    buildDecodingTable(literalTable, literalBits, kindLiteral, lengths, literalCodes) &&
    buildDecodingTable(
      distanceTable,
      distanceBits,
      kindDistance,
      lengths + literalCodes,
      distanceCodes,
    )
  )
}

function readCodeLengths(total: u32): bool {
  let filled: u32 = 0
  while (filled < total) {
    refill()
    const entry = load<u32>(precodeTable + ((<usize>(<u32>bitBuffer & 127)) << 2))
    if ((entry & exceptionMark) != 0) return false
    take(entry & 0xff)
    const symbol = entry >> 16
    if (symbol < 16) {
      store<u8>(lengths + filled, <u8>symbol)
      filled += 1
      continue
    }
    if (symbol == 16 && filled == 0) return false
    const value = symbol == 16 ? load<u8>(lengths + filled - 1) : 0
    const count = symbol == 16 ? take(2) + 3 : symbol == 17 ? take(3) + 3 : take(7) + 11
    if (filled + count > total) return false
    memory.fill(lengths + filled, value, count)
    filled += count
  }
  return true
}

/** Decodes symbols until the block, the input or the room ends. @returns false for a code or distance that is none. */
function decodeSymbols(inputBound: usize): bool {
  const outputBound = chunkStart + outputBytes
  let buffer = bitBuffer
  let count = bitCount
  let from = inputAt
  let to = outputAt
  let runStart = literalStart
  let sequence = sequenceAt
  let isGood = true
  while (to < outputBound && from <= inputBound) {
    buffer |= load<u64>(from) << count
    from += (63 - count) >> 3
    count |= 56
    let entry = load<u32>(literalTable + ((<usize>(<u32>buffer & 2047)) << 2))
    if (<i32>entry < 0) {
      // three literals take 45 bits at the most, and 56 are there
      buffer >>= entry & 0xff
      count -= entry & 0xff
      store<u8>(to, <u8>(entry >> 16))
      to += 1
      entry = load<u32>(literalTable + ((<usize>(<u32>buffer & 2047)) << 2))
      if (<i32>entry < 0) {
        buffer >>= entry & 0xff
        count -= entry & 0xff
        store<u8>(to, <u8>(entry >> 16))
        to += 1
        entry = load<u32>(literalTable + ((<usize>(<u32>buffer & 2047)) << 2))
        if (<i32>entry < 0) {
          buffer >>= entry & 0xff
          count -= entry & 0xff
          store<u8>(to, <u8>(entry >> 16))
          to += 1
          continue
        }
      }
      buffer |= load<u64>(from) << count
      from += (63 - count) >> 3
      count |= 56
    }
    if ((entry & exceptionMark) != 0) {
      if ((entry & subtableMark) != 0) {
        buffer >>= entry & 0xff
        count -= entry & 0xff
        const index = (entry >> 16) + (<u32>buffer & ((1 << ((entry >> 8) & 15)) - 1))
        entry = load<u32>(literalTable + ((<usize>index) << 2))
        if (<i32>entry < 0) {
          buffer >>= entry & 0xff
          count -= entry & 0xff
          store<u8>(to, <u8>((entry >> 16) & 0xff))
          to += 1
          continue
        }
      }
      if ((entry & exceptionMark) != 0) {
        if ((entry & endMark) == 0) {
          isGood = false
          break
        }
        bitBuffer = buffer >> (entry & 0xff)
        bitCount = count - (entry & 0xff)
        inputAt = from
        outputAt = to
        literalStart = runStart
        sequenceAt = sequence
        endBlock()
        return true
      }
    }
    const length =
      ((entry >> 16) & 0x1ff) +
      <u32>((buffer & (((<u64>1) << (entry & 0xff)) - 1)) >> ((entry >> 8) & 15))
    buffer >>= entry & 0xff
    count -= entry & 0xff
    let far = load<u32>(distanceTable + ((<usize>(<u32>buffer & 255)) << 2))
    if ((far & exceptionMark) != 0) {
      if ((far & subtableMark) == 0) {
        isGood = false
        break
      }
      buffer >>= far & 0xff
      count -= far & 0xff
      const index = (far >> 16) + (<u32>buffer & ((1 << ((far >> 8) & 15)) - 1))
      far = load<u32>(distanceTable + ((<usize>index) << 2))
      if ((far & exceptionMark) != 0) {
        isGood = false
        break
      }
    }
    const distance =
      (far >> 16) + <u32>((buffer & (((<u64>1) << (far & 0xff)) - 1)) >> ((far >> 8) & 15))
    buffer >>= far & 0xff
    count -= far & 0xff
    if (to - historyStart < distance) {
      isGood = false
      break
    }
    sequence = writeMatch(sequence, <u32>(to - runStart), length, distance)
    copyMatch(to, distance, length)
    to += length
    runStart = to
  }
  bitBuffer = buffer
  bitCount = count
  inputAt = from
  outputAt = to
  literalStart = runStart
  sequenceAt = sequence
  return isGood
}

/** May write up to 15 bytes beyond the match. */
function copyMatch(to: usize, distance: u32, length: u32): void {
  let source = to - distance
  const end = to + length
  if (distance >= 8) {
    do {
      store<u64>(to, load<u64>(source))
      store<u64>(to + 8, load<u64>(source + 8))
      to += 16
      source += 16
    } while (to < end)
  } else if (distance == 1) {
    const word = <u64>load<u8>(source) * 0x0101010101010101
    do {
      store<u64>(to, word)
      to += 8
    } while (to < end)
  } else {
    do {
      store<u8>(to, load<u8>(source))
      to += 1
      source += 1
    } while (to < end)
  }
}

/** What is left of literals at the end of a chunk. */
function closeRun(): void {
  sequenceAt = writeRun(sequenceAt, <u32>(outputAt - literalStart))
  literalStart = outputAt
}
