/** Writes chosen sequences as a zlib stream (RFC 1950, RFC 1951), a Huffman code for each part of a block. */
import { adler32 } from './adler32'
import { makeCodeLengths } from './code-lengths'
import { stored } from './memory-map'
import { distanceOf, isMatch, lengthOf, literalsOf } from './sequence'
import {
  addHistograms,
  costOf,
  countedEnd,
  countSymbols,
  distanceCode,
  distanceSymbols,
  distancesAt,
  endOfBlock,
  histogramBytes,
  lengthCodes,
  literalSymbols,
} from './symbol-counts'

/** Parts are counted by so many bytes of the block; neighbours that are alike share a code. */
const partBytes: u32 = 2048
/** What a code of its own costs, in bits. */
const headerBits: u32 = 600

const histograms = memory.data(3 * 1280)
const codeLengths = memory.data(320)
const precodeCounts = memory.data(4 * 20)
const precodeLengths = memory.data(20)
/** code << 8 | bits, by literal or length symbol and by distance symbol. */
const literalCodes = memory.data(4 * 288)
const distanceCodes = memory.data(4 * 32)
const precodes = memory.data(4 * 20)
/** For a length: code and extra bits together << 8 | bits. */
const lengthWords = memory.data(4 * 260)

const precodeOrder = memory.data<u8>([
  16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15,
])

let to: usize = 0
let limit: usize = 0
let buffer: u64 = 0
let bits: u32 = 0

/**
 * @param bytes The block. @param maxBytes What is longer is not worth storing.
 * @returns the length of the stream, 0 when it is longer than that.
 */
export function writeStream(
  bytes: usize,
  count: u32,
  start: usize,
  end: usize,
  maxBytes: u32,
): u32 {
  to = stored
  limit = stored + maxBytes
  buffer = 0
  bits = 0
  // a window of 32 KiB, the default level (RFC 1950 § 2.2)
  store<u16>(to, 0x9c78)
  to += 2
  if (!writeParts(bytes, start, end)) return 0
  flushLast()
  const checksum = adler32(bytes, count)
  store<u32>(to, bswap<u32>(checksum))
  to += 4
  return to > limit ? 0 : <u32>(to - stored)
}

/** Joins parts as long as one code for both costs less than one for each. */
function writeParts(bytes: usize, start: usize, end: usize): bool {
  let current = histograms
  let next = histograms + histogramBytes
  let both = histograms + 2 * histogramBytes
  let partStart = start
  let partFrom = bytes
  let at = countSymbols(current, start, end, bytes, partBytes)
  let from = countedEnd
  let cost = costOf(current)
  while (at < end) {
    const nextEnd = countSymbols(next, at, end, from, partBytes)
    const nextFrom = countedEnd
    addHistograms(both, current, next)
    const nextCost = costOf(next)
    const joined = costOf(both)
    if (joined <= cost + nextCost + headerBits) {
      const free = current
      current = both
      both = free
      cost = joined
    } else {
      if (!writePart(current, partFrom, partStart, at, false)) return false
      partStart = at
      partFrom = from
      const free = current
      current = next
      next = free
      cost = nextCost
    }
    at = nextEnd
    from = nextFrom
  }
  return writePart(current, partFrom, partStart, end, true)
}

/** @returns false when the stream has become too long. */
function writePart(histogram: usize, bytes: usize, start: usize, end: usize, isLast: bool): bool {
  makeLengths(histogram)
  writeHeader(isLast)
  makeCodes(codeLengths, literalSymbols, literalCodes)
  makeCodes(codeLengths + 288, distanceSymbols, distanceCodes)
  makeLengthWords()
  if (!writeSequences(bytes, start, end)) return false
  const code = load<u32>(literalCodes + (endOfBlock << 2))
  put(code >> 8, code & 0xff)
  return true
}

/** At least two codes of each kind, as zlib makes them: some decoders want that. */
function makeLengths(histogram: usize): void {
  atLeastTwo(histogram, literalSymbols)
  atLeastTwo(histogram + distancesAt, distanceSymbols)
  makeCodeLengths(histogram, literalSymbols, 15, codeLengths)
  makeCodeLengths(histogram + distancesAt, distanceSymbols, 15, codeLengths + 288)
}

function atLeastTwo(counts: usize, symbols: u32): void {
  let used: u32 = 0
  for (let i: u32 = 0; i < symbols; i += 1) if (load<u32>(counts + (i << 2)) != 0) used += 1
  for (let i: u32 = 0; used < 2; i += 1) {
    if (load<u32>(counts + (i << 2)) != 0) continue
    store<u32>(counts + (i << 2), 1)
    used += 1
  }
}

const nextCodes = memory.data(4 * 16)

/** Codes in the order of RFC 1951 § 3.2.2, bits reversed as they are written. */
function makeCodes(lengths: usize, symbols: u32, codes: usize): void {
  memory.fill(nextCodes, 0, 4 * 16)
  for (let i: u32 = 0; i < symbols; i += 1) {
    const at = nextCodes + ((<usize>load<u8>(lengths + i)) << 2)
    store<u32>(at, load<u32>(at) + 1)
  }
  store<u32>(nextCodes, 0)
  let code: u32 = 0
  let before: u32 = 0
  for (let length: u32 = 1; length < 16; length += 1) {
    const at = nextCodes + (length << 2)
    code = (code + before) << 1
    before = load<u32>(at)
    store<u32>(at, code)
  }
  for (let i: u32 = 0; i < symbols; i += 1) {
    const length = <u32>load<u8>(lengths + i)
    if (length == 0) continue
    const at = nextCodes + (length << 2)
    const value = load<u32>(at)
    store<u32>(at, value + 1)
    store<u32>(codes + (i << 2), (reverse(value, length) << 8) | length)
  }
}

function reverse(code: u32, length: u32): u32 {
  code = ((code & 0x5555) << 1) | ((code >> 1) & 0x5555)
  code = ((code & 0x3333) << 2) | ((code >> 2) & 0x3333)
  code = ((code & 0x0f0f) << 4) | ((code >> 4) & 0x0f0f)
  code = ((code & 0x00ff) << 8) | ((code >> 8) & 0x00ff)
  return code >> (16 - length)
}

function makeLengthWords(): void {
  for (let length: u32 = 3; length <= 258; length += 1) {
    const entry = load<u32>(lengthCodes + (length << 2))
    const code = load<u32>(literalCodes + (((entry >> 24) + 256) << 2))
    const codeBits = code & 0xff
    const value = (code >> 8) | ((length - (entry & 0xffff)) << codeBits)
    store<u32>(lengthWords + (length << 2), (value << 8) | (codeBits + ((entry >> 16) & 0xff)))
  }
}

function put(value: u32, count: u32): void {
  buffer |= (<u64>value) << bits
  bits += count
  store<u64>(to, buffer)
  to += bits >> 3
  buffer >>= bits & ~7
  bits &= 7
}

function flushLast(): void {
  if (bits > 0) {
    store<u8>(to, <u8>buffer)
    to += 1
  }
}

function writeSequences(bytes: usize, start: usize, end: usize): bool {
  let out = to
  let word = buffer
  let held = bits
  let from = bytes
  for (let at = start; at < end; at += 4) {
    if (out > limit) return false
    const sequence = load<u32>(at)
    let literals = literalsOf(sequence)
    while (literals >= 3) {
      const a = load<u32>(literalCodes + ((<usize>load<u8>(from)) << 2))
      const b = load<u32>(literalCodes + ((<usize>load<u8>(from, 1)) << 2))
      const c = load<u32>(literalCodes + ((<usize>load<u8>(from, 2)) << 2))
      const bitsOfTwo = (a & 0xff) + (b & 0xff)
      const two = <u64>(a >> 8) | ((<u64>(b >> 8)) << (a & 0xff))
      word |= (two | ((<u64>(c >> 8)) << bitsOfTwo)) << held
      held += bitsOfTwo + (c & 0xff)
      store<u64>(out, word)
      out += held >> 3
      word >>= held & ~7
      held &= 7
      from += 3
      literals -= 3
    }
    while (literals > 0) {
      const code = load<u32>(literalCodes + ((<usize>load<u8>(from)) << 2))
      word |= (<u64>(code >> 8)) << held
      held += code & 0xff
      from += 1
      literals -= 1
    }
    store<u64>(out, word)
    out += held >> 3
    word >>= held & ~7
    held &= 7
    if (!isMatch(sequence)) continue
    const length = lengthOf(sequence)
    const lengthWord = load<u32>(lengthWords + (length << 2))
    word |= (<u64>(lengthWord >> 8)) << held
    held += lengthWord & 0xff
    const distance = distanceOf(sequence)
    const entry = distanceCode(distance)
    const code = load<u32>(distanceCodes + ((<usize>(entry >> 24)) << 2))
    word |= (<u64>(code >> 8)) << held
    held += code & 0xff
    word |= (<u64>(distance - (entry & 0xffff))) << held
    held += (entry >> 16) & 0xff
    store<u64>(out, word)
    out += held >> 3
    word >>= held & ~7
    held &= 7
    from += length
  }
  to = out
  buffer = word
  bits = held
  return true
}

/** Code lengths as they are written: symbol | extra value << 8, runs made short (RFC 1951 § 3.2.7). */
const runs = memory.data(2 * 320)
let runCount: u32 = 0

function writeHeader(isLast: bool): void {
  const literals = usedSymbols(codeLengths, literalSymbols, 257)
  const distances = usedSymbols(codeLengths + 288, distanceSymbols, 1)
  memory.fill(precodeCounts, 0, 4 * 20)
  runCount = 0
  // the two lists are one: a run may go from one into the other
  memory.copy(joinedLengths, codeLengths, literals)
  memory.copy(joinedLengths + literals, codeLengths + 288, distances)
  makeRuns(literals + distances)
  atLeastTwo(precodeCounts, 19)
  makeCodeLengths(precodeCounts, 19, 7, precodeLengths)
  makeCodes(precodeLengths, 19, precodes)
  let sent: u32 = 19
  while (sent > 4 && load<u8>(precodeLengths + load<u8>(precodeOrder + sent - 1)) == 0) sent -= 1
  put((isLast ? 1 : 0) | (2 << 1), 3)
  put(literals - 257, 5)
  put(distances - 1, 5)
  put(sent - 4, 4)
  for (let i: u32 = 0; i < sent; i += 1)
    put(load<u8>(precodeLengths + load<u8>(precodeOrder + i)), 3)
  for (let i: u32 = 0; i < runCount; i += 1) {
    const run = <u32>load<u16>(runs + (i << 1))
    const symbol = run & 0xff
    const code = load<u32>(precodes + (symbol << 2))
    put(code >> 8, code & 0xff)
    if (symbol >= 16) put(run >> 8, symbol == 16 ? 2 : symbol == 17 ? 3 : 7)
  }
}

const joinedLengths = memory.data(320)

function usedSymbols(lengths: usize, most: u32, least: u32): u32 {
  while (most > least && load<u8>(lengths + most - 1) == 0) most -= 1
  return most
}

function makeRuns(total: u32): void {
  for (let i: u32 = 0; i < total; ) {
    const length = load<u8>(joinedLengths + i)
    let run: u32 = 1
    while (i + run < total && load<u8>(joinedLengths + i + run) == length) run += 1
    i += run
    if (length == 0) zeroRuns(run)
    else equalRuns(length, run)
  }
}

function pushRun(symbol: u32, extra: u32): void {
  store<u16>(runs + (runCount << 1), <u16>(symbol | (extra << 8)))
  runCount += 1
  const at = precodeCounts + (symbol << 2)
  store<u32>(at, load<u32>(at) + 1)
}

function zeroRuns(run: u32): void {
  while (run >= 11) {
    const part = min(run, <u32>138)
    pushRun(18, part - 11)
    run -= part
  }
  if (run >= 3) {
    pushRun(17, run - 3)
    run = 0
  }
  for (; run > 0; run -= 1) pushRun(0, 0)
}

function equalRuns(length: u32, run: u32): void {
  pushRun(length, 0)
  run -= 1
  while (run >= 3) {
    const part = min(run, <u32>6)
    pushRun(16, part - 3)
    run -= part
  }
  for (; run > 0; run -= 1) pushRun(length, 0)
}
