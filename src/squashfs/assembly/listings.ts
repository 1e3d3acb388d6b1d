/** Directory listings (format.adoc "Directory Table" and "Directory Index"), and where they lie. */
import { at } from '../../assembly/columns'
import { reserve } from '../../assembly/memory'
import { MetadataWriter } from './metadata-writer'
import { nameLength, nameStart } from './names'
import { numberOfDirectory, numberOfLeaf } from './numbering'
import {
  Column,
  childCount,
  childEnd,
  childStart,
  directoryCount,
  isDirectory,
  leafCount,
  Type,
  typeOf,
} from './tree'

const blockBytes: i64 = 8192
const headerBytes: u32 = 12
const entryFixedBytes: u32 = 8
/** The kernel shows a directory with a longer run as empty. */
const mostRunEntries: u32 = 256
/** Their count is a u16. */
const mostIndexEntries: u32 = 0xffff

export const directories = changetype<MetadataWriter>(memory.data(offsetof<MetadataWriter>(), 8))

/** References of inodes that have been written, with one in bit 63; zero until then. */
const isWritten: u64 = 1 << 63
let leafReferences: usize = 0
let directoryReferences: usize = 0
/** Of each directory: the reference of its listing, its bytes, and the places in its index. */
let listings: usize = 0
let listingSizes: usize = 0
let indexStarts: usize = 0
let indexEnds: usize = 0
/** Offset in the listing, number of the block and first name (the child) of a run. */
let index: usize = 0
let indexCount: u32 = 0
export const indexPlaceBytes: u32 = 12

export function reserveListings(): void {
  directories.begin(1)
  leafReferences = reserve(8 * <u64>leafCount)
  directoryReferences = reserve(8 * <u64>directoryCount)
  listings = reserve(8 * <u64>directoryCount)
  listingSizes = reserve(4 * <u64>directoryCount)
  indexStarts = reserve(4 * <u64>directoryCount)
  indexEnds = reserve(4 * <u64>directoryCount)
  let listedBytes: u64 = 0
  for (let child: u32 = 0; child < childCount; child += 1) {
    listedBytes += headerBytes + entryFixedBytes + nameLength(child)
  }
  // between two places in an index lie almost 8 KiB of listing
  index = reserve((listedBytes / 7900 + 1) * indexPlaceBytes)
}

/** Of a child's inode; 0 until it is written. */
export function referenceOf(value: u32): u64 {
  return load<u64>(referenceAddress(value))
}

export function setReference(value: u32, reference: u64): void {
  store<u64>(referenceAddress(value), reference | isWritten)
}

function referenceAddress(value: u32): usize {
  return value & isDirectory
    ? directoryReferences + 8 * (value & ~isDirectory)
    : leafReferences + 8 * at(Column.inodes, value)
}

function numberOf(value: u32): u32 {
  return value & isDirectory
    ? numberOfDirectory(value & ~isDirectory)
    : numberOfLeaf(at(Column.inodes, value))
}

/** Number of the metadata block that a reference names. */
export function blockOf(reference: u64): u32 {
  return <u32>((reference & ~isWritten) >> 16)
}

export function listingOf(directory: u32): u64 {
  return load<u64>(listings + 8 * directory)
}

export function listingBytes(directory: u32): u32 {
  return load<u32>(listingSizes + 4 * directory)
}

export function indexStart(directory: u32): u32 {
  return load<u32>(indexStarts + 4 * directory)
}

export function indexEnd(directory: u32): u32 {
  return load<u32>(indexEnds + 4 * directory)
}

export function indexPlace(number: u32): usize {
  return index + indexPlaceBytes * number
}

/**
 * Writes a listing as runs of entries whose inodes lie in one metadata block. A run ends early where the
 * listing passes 8 KiB since the last place in the index, so that a lookup in a directory of any size reads about
 * one block (mksquashfs does the same).
 */
export function writeListing(directory: u32): void {
  const start = childStart(directory)
  const end = childEnd(directory)
  store<u64>(listings + 8 * directory, directories.reference() | isWritten)
  store<u32>(indexStarts + 4 * directory, indexCount)
  const firstPlace = indexCount
  let sizeBytes: i64 = 0
  let indexedAt: i64 = 0
  for (let first = start; first < end; ) {
    const passes = sizeBytes + entryBytes(first) - indexedAt > blockBytes
    if (first > start && passes && indexCount - firstPlace < mostIndexEntries) {
      const place = indexPlace(indexCount)
      store<u32>(place, <u32>sizeBytes)
      store<u32>(place, blockOf(directories.reference()), 4)
      store<u32>(place, first, 8)
      indexCount += 1
      indexedAt = sizeBytes
    }
    const runEnds = runEnd(first, end, indexedAt + blockBytes - sizeBytes - headerBytes)
    sizeBytes += writeRun(first, runEnds)
    first = runEnds
  }
  store<u32>(listingSizes + 4 * directory, <u32>sizeBytes)
  store<u32>(indexEnds + 4 * directory, indexCount)
}

function entryBytes(child: u32): u32 {
  return entryFixedBytes + nameLength(child)
}

/** The entry after the last that fits in a run: 256 entries, one inode block, 16-bit differences. */
function runEnd(first: u32, listEnd: u32, roomBytes: i64): u32 {
  const value = at(Column.children, first)
  const block = blockOf(referenceOf(value))
  const base = <i64>numberOf(value)
  const last = min(first + mostRunEntries, listEnd)
  let room = roomBytes - entryBytes(first)
  let end = first + 1
  for (; end < last; end += 1) {
    const next = at(Column.children, end)
    const difference = <i64>numberOf(next) - base
    room -= entryBytes(end)
    if (room < 0 || difference < -0x8000 || difference > 0x7fff) break
    if (blockOf(referenceOf(next)) !== block) break
  }
  return end
}

function writeRun(first: u32, end: u32): u32 {
  const value = at(Column.children, first)
  const base = numberOf(value)
  const header = directories.claim(headerBytes)
  store<u32>(header, end - first - 1)
  directories.refer(header + 4, blockOf(referenceOf(value)))
  store<u32>(header, base, 8)
  let sizeBytes = headerBytes
  for (let child = first; child < end; child += 1) {
    const entry = at(Column.children, child)
    const length = nameLength(child)
    const to = directories.claim(entryFixedBytes + length)
    store<u16>(to, <u16>(referenceOf(entry) & 0xffff))
    store<u16>(to, <u16>(numberOf(entry) - base), 2)
    // basic types, also for inodes of extended form: with others the kernel cuts the directory short
    store<u16>(
      to,
      entry & isDirectory ? <u16>Type.directory : <u16>typeOf(at(Column.inodes, entry)),
      4,
    )
    store<u16>(to, <u16>(length - 1), 6)
    memory.copy(to + entryFixedBytes, nameStart(child), length)
    sizeBytes += entryFixedBytes + length
  }
  return sizeBytes
}
