/**
 * Tables that turn the next bits of a stream into a symbol (RFC 1951 § 3.2.2): a main table indexed by
 * its first bits, and subtables for longer codes.
 *
 * An entry, 32 bits: bits 0–7 the bits it takes, extra bits included; bits 8–11 those of the code alone;
 * bits 16–30 the literal, the base of a length or distance, or the start of a subtable; and the marks.
 */

/** The entry is a literal: as a signed number it is negative. */
export const literalMark: u32 = 0x80000000
/** Neither a literal nor a length: the end of the block, a subtable, or no code at all. */
export const exceptionMark: u32 = 0x8000
export const subtableMark: u32 = 0x4000
export const endMark: u32 = 0x2000

export const maxCodeBits: u32 = 15

/** Length codes 257 to 285 and distance codes: base << 8 | extra bits. */
const lengthBases = memory.data<u32>([
  0x300, 0x400, 0x500, 0x600, 0x700, 0x800, 0x900, 0xa00, 0xb01, 0xd01, 0xf01, 0x1101, 0x1302,
  0x1702, 0x1b02, 0x1f02, 0x2303, 0x2b03, 0x3303, 0x3b03, 0x4304, 0x5304, 0x6304, 0x7304, 0x8305,
  0xa305, 0xc305, 0xe305, 0x10200,
])
const distanceBases = memory.data<u32>([
  0x100, 0x200, 0x300, 0x400, 0x501, 0x701, 0x902, 0xd02, 0x1103, 0x1903, 0x2104, 0x3104, 0x4105,
  0x6105, 0x8106, 0xc106, 0x10107, 0x18107, 0x20108, 0x30108, 0x40109, 0x60109, 0x8010a, 0xc010a,
  0x10010b, 0x18010b, 0x20010c, 0x30010c, 0x40010d, 0x60010d,
])

export const kindPrecode: i32 = 0
export const kindLiteral: i32 = 1
export const kindDistance: i32 = 2

const counts = memory.data(4 * 16)
const offsets = memory.data(4 * 16)
const sorted = memory.data(2 * 320)

/** What a symbol stands for, without the bits of its code. */
function symbolEntry(kind: i32, symbol: u32): u32 {
  if (kind == kindPrecode) return symbol << 16
  if (kind == kindDistance) {
    if (symbol >= 30) return exceptionMark
    const base = load<u32>(distanceBases + ((<usize>symbol) << 2))
    return ((base >> 8) << 16) | (base & 0xff)
  }
  if (symbol < 256) return literalMark | (symbol << 16)
  if (symbol == 256) return exceptionMark | endMark
  if (symbol > 285) return exceptionMark
  const base = load<u32>(lengthBases + ((<usize>(symbol - 257)) << 2))
  return ((base >> 8) << 16) | (base & 0xff)
}

function reverseBits(code: u32, bits: u32): u32 {
  let reversed: u32 = 0
  for (let i: u32 = 0; i < bits; i += 1) {
    reversed = (reversed << 1) | ((code >> i) & 1)
  }
  return reversed
}

/** Sorts symbols by the length of their code. @returns what of the code space is left, negative if too much. */
function sortSymbols(lengths: usize, symbolCount: u32): i32 {
  memory.fill(counts, 0, 4 * 16)
  for (let i: u32 = 0; i < symbolCount; i += 1) {
    const at = counts + ((<usize>load<u8>(lengths + i)) << 2)
    store<u32>(at, load<u32>(at) + 1)
  }
  let left: i32 = 1
  let offset: u32 = 0
  for (let bits: u32 = 1; bits <= maxCodeBits; bits += 1) {
    const count = load<u32>(counts + (bits << 2))
    left = (left << 1) - <i32>count
    if (left < 0) return left
    store<u32>(offsets + (bits << 2), offset)
    offset += count
  }
  for (let i: u32 = 0; i < symbolCount; i += 1) {
    const bits = <u32>load<u8>(lengths + i)
    if (bits == 0) continue
    const at = offsets + (bits << 2)
    const place = load<u32>(at)
    store<u32>(at, place + 1)
    store<u16>(sorted + ((<usize>place) << 1), <u16>i)
  }
  return left
}

/** The most bits any code has. */
function longestCode(): u32 {
  let bits = maxCodeBits
  while (bits > 0 && load<u32>(counts + (bits << 2)) == 0) bits -= 1
  return bits
}

/**
 * Builds a table from code lengths, one byte each. As zlib, it takes an incomplete code only where
 * that is a single code of one bit.
 * @returns whether the lengths make a code.
 */
export function buildDecodingTable(
  table: usize,
  mainBits: u32,
  kind: i32,
  lengths: usize,
  symbolCount: u32,
): bool {
  const left = sortSymbols(lengths, symbolCount)
  if (left < 0) return false
  const longest = longestCode()
  if (left > 0 && (kind == kindPrecode || longest > 1)) return false
  fillUnused(table, mainBits)
  fillCodes(table, mainBits, kind, longest)
  return true
}

function fillUnused(table: usize, mainBits: u32): void {
  const end: u32 = 1 << mainBits
  for (let i: u32 = 0; i < end; i += 1) store<u32>(table + ((<usize>i) << 2), exceptionMark)
}

function fillCodes(table: usize, mainBits: u32, kind: i32, longest: u32): void {
  const mainMask: u32 = (1 << mainBits) - 1
  let nextSubtable: u32 = 1 << mainBits
  let prefix: u32 = 0xffffffff
  let subtable: u32 = 0
  let subtableBits: u32 = 0
  let code: u32 = 0
  let place: usize = sorted
  for (let bits: u32 = 1; bits <= longest; bits += 1) {
    let count = load<u32>(counts + (bits << 2))
    for (; count > 0; count -= 1) {
      const symbol = <u32>load<u16>(place)
      place += 2
      const reversed = reverseBits(code, bits)
      code += 1
      if (bits <= mainBits) {
        repeat(table, reversed, bits, 1 << mainBits, finished(kind, symbol, bits))
        continue
      }
      if ((reversed & mainMask) != prefix) {
        prefix = reversed & mainMask
        subtable = nextSubtable
        subtableBits = bitsOfSubtable(bits, count, mainBits, longest)
        nextSubtable += 1 << subtableBits
        const pointer =
          exceptionMark | subtableMark | (subtable << 16) | (subtableBits << 8) | mainBits
        store<u32>(table + ((<usize>prefix) << 2), pointer)
        const start = table + ((<usize>subtable) << 2)
        fillUnused(start, subtableBits)
      }
      const rest = bits - mainBits
      const start = table + ((<usize>subtable) << 2)
      repeat(start, reversed >> mainBits, rest, 1 << subtableBits, finished(kind, symbol, rest))
    }
    code <<= 1
  }
}

function finished(kind: i32, symbol: u32, bits: u32): u32 {
  return symbolEntry(kind, symbol) + ((bits << 8) | bits)
}

function repeat(table: usize, first: u32, bits: u32, end: u32, entry: u32): void {
  for (let i = first; i < end; i += 1 << bits) store<u32>(table + ((<usize>i) << 2), entry)
}

/** As many bits as the codes with one prefix need: codes come in order, so the counts tell. */
function bitsOfSubtable(bits: u32, remaining: u32, mainBits: u32, longest: u32): u32 {
  let width = bits - mainBits
  let space = <i32>(1 << width) - <i32>remaining
  for (let next = bits + 1; space > 0 && next <= longest; next += 1) {
    width += 1
    space = (space << 1) - <i32>load<u32>(counts + (next << 2))
  }
  return width
}
