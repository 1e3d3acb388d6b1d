/** Reads what index-encoder.ts wrote, never beyond its bytes, whatever they are. */
import { Damage, refuse } from './host'

/** The index, and how far it has been read. */
export let text: usize = 0
export let offset: u32 = 0
let end: u32 = 0

const largestNumber: u64 = 9007199254740991

export function beginReading(start: usize, from: u32, textBytes: u32): void {
  text = start
  offset = from
  end = textBytes
}

/** LEB128, up to 2^53 - 1. */
export function number(): u64 {
  let byte = nextByte()
  if (byte < 0x80) return byte
  let value: u64 = byte & 0x7f
  let shift: u64 = 7
  do {
    byte = nextByte()
    value |= (byte & 0x7f) << shift
    shift += 7
  } while (byte >= 0x80 && shift < 56)
  if (byte >= 0x80 || value > largestNumber) refuse(Damage.number)
  return value
}

export function unsigned(largest: u64): u32 {
  const value = number()
  if (value > largest) refuse(Damage.number)
  return <u32>value
}

/** A number of things that take at least a byte each. */
export function count(): u32 {
  const value = number()
  if (value > <u64>(end - offset)) refuse(Damage.count)
  return <u32>value
}

/** Passes over a string. @returns its length; it ends at `offset`. */
export function skip(): u32 {
  const length = count()
  offset += length
  return length
}

function nextByte(): u64 {
  if (offset >= end) refuse(Damage.cut)
  const byte = load<u8>(text + offset)
  offset += 1
  return byte
}
