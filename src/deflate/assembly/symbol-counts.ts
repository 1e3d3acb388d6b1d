/**
 * How often each symbol comes in a part of a block, and what a part would cost in bits. A histogram:
 * 288 counts of literals and lengths, 32 of distances, 32 bits each.
 */
import { distanceOf, isMatch, lengthOf, literalsOf } from './sequence'

export const literalSymbols: u32 = 286
export const distanceSymbols: u32 = 30
export const distancesAt: usize = 4 * 288
export const histogramBytes: usize = 4 * 320
export const endOfBlock: u32 = 256

/** symbol << 24 | extra bits << 16 | base, by length and, for distances, as distanceSlot says. */
export const lengthCodes = memory.data(4 * 260)
const distanceSlots = memory.data(4 * 512)

const lengthBases = memory.data<u16>([
  3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131,
  163, 195, 227, 258,
])
const lengthExtras = memory.data<u8>([
  0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0,
])

/** log2 of 1 to 1023 in 2^-12 bits. */
const logarithms = memory.data(4 * 1024)
const logarithmOne: u32 = 4096

export function fillSymbolTables(): void {
  for (let code: u32 = 0; code < 29; code += 1) {
    const base = <u32>load<u16>(lengthBases + (code << 1))
    const extra = <u32>load<u8>(lengthExtras + code)
    for (let i: u32 = 0; i < (<u32>1) << extra && base + i <= 258; i += 1) {
      store<u32>(lengthCodes + ((base + i) << 2), ((code + 1) << 24) | (extra << 16) | base)
    }
  }
  let base: u32 = 1
  for (let code: u32 = 0; code < 30; code += 1) {
    const extra: u32 = code < 4 ? 0 : (code >> 1) - 1
    const end = base + (1 << extra)
    const entry = (code << 24) | (extra << 16) | base
    for (let distance = base; distance < end; distance += 1) store<u32>(slotOf(distance), entry)
    base = end
  }
  for (let i: u32 = 1; i < 1024; i += 1) {
    store<u32>(logarithms + (i << 2), <u32>Mathf.round(Mathf.log2(<f32>i) * 4096))
  }
}

function slotOf(distance: u32): usize {
  const before = distance - 1
  return distanceSlots + ((<usize>(before < 256 ? before : (before >> 7) + 256)) << 2)
}

/** The code of a distance: symbol << 24 | extra bits << 16 | base. */
export function distanceCode(distance: u32): u32 {
  return load<u32>(slotOf(distance))
}

function count(at: usize): void {
  store<u32>(at, load<u32>(at) + 1)
}

/**
 * Counts sequences until as many bytes or more are passed.
 * @returns where the next part begins in the sequences; its bytes begin at countedBytes.
 */
export function countSymbols(
  histogram: usize,
  start: usize,
  end: usize,
  bytes: usize,
  most: u32,
): usize {
  memory.fill(histogram, 0, histogramBytes)
  let at = start
  let from = bytes
  const bound = bytes + most
  while (at < end && from < bound) {
    const sequence = load<u32>(at)
    at += 4
    for (const stop = from + literalsOf(sequence); from < stop; from += 1) {
      count(histogram + ((<usize>load<u8>(from)) << 2))
    }
    if (!isMatch(sequence)) continue
    const length = lengthOf(sequence)
    const symbol = (load<u32>(lengthCodes + (length << 2)) >> 24) + 256
    count(histogram + (symbol << 2))
    const distance = distanceCode(distanceOf(sequence)) >> 24
    count(histogram + distancesAt + (distance << 2))
    from += length
  }
  store<u32>(histogram + (endOfBlock << 2), 1)
  countedEnd = from
  return at
}

export let countedEnd: usize = 0

/** log2 in 2^-12 bits. */
function logarithm(value: u32): u32 {
  let shift: u32 = 0
  while (value >= 1024) {
    value >>= 1
    shift += 1
  }
  return load<u32>(logarithms + (value << 2)) + shift * logarithmOne
}

/** About as many bits as the symbols of a histogram take, without those that match numbers bring. */
export function costOf(histogram: usize): u32 {
  return (entropyOf(histogram, 288) + entropyOf(histogram + distancesAt, 32)) as u32
}

function entropyOf(counts: usize, symbols: u32): u64 {
  let total: u32 = 0
  let sum: u64 = 0
  for (let i: u32 = 0; i < symbols; i += 1) {
    const value = load<u32>(counts + (i << 2))
    if (value == 0) continue
    total += value
    sum += <u64>value * logarithm(value)
  }
  if (total == 0) return 0
  return (<u64>total * logarithm(total) - sum) >> 12
}

/** into = a + b. */
export function addHistograms(into: usize, a: usize, b: usize): void {
  for (let i: usize = 0; i < histogramBytes; i += 16) {
    v128.store(into + i, i32x4.add(v128.load(a + i), v128.load(b + i)))
  }
  store<u32>(into + (endOfBlock << 2), 1)
}
