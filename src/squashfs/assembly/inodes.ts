/** Encodes inodes (format.adoc "Inode Table"): the basic form where it can say all, else the extended one. */
import { addressOf, at } from '../../assembly/columns'
import { idOfXattrs, indexOfId, Reason, refuse } from './host'
import {
  blockOf,
  indexEnd,
  indexPlace,
  indexPlaceBytes,
  indexStart,
  listingBytes,
  listingOf,
} from './listings'
import { MetadataWriter } from './metadata-writer'
import { nameLength, nameStart } from './names'
import {
  linksOfDirectory,
  linksOfLeaf,
  numberOfDirectory,
  numberOfLeaf,
  parentNumber,
} from './numbering'
import { Column, Type, text, typeOf } from './tree'

const absent: u32 = 0xffff_ffff
const headerBytes: u32 = 16
const longestTarget: u32 = 4095
/** `.` and `..`, which are counted and not stored. */
const impliedBytes: u32 = 3
/** Archives say anything; on Linux every symlink is 0777. */
const symlinkMode: u32 = 0o777

export const inodes = changetype<MetadataWriter>(memory.data(offsetof<MetadataWriter>(), 8))

let blockSize: u64 = 0

export function beginInodes(bytesOfBlocks: u32): void {
  blockSize = bytesOfBlocks
  inodes.begin(0)
}

/** What every inode says, with ids and xattrs as places in their tables; ids are given in this order. */
let mode: u32 = 0
let uidIndex: u32 = 0
let gidIndex: u32 = 0
let mtime: u32 = 0
let number: u32 = 0
let links: u32 = 0
let xattrId: u32 = 0

/** The owners that were asked for last: mostly it is the same one again. */
let lastUid: u64 = u64.MAX_VALUE
let lastUidIndex: u32 = 0
let lastGid: u64 = u64.MAX_VALUE
let lastGidIndex: u32 = 0

function setOwners(uid: u32, gid: u32): void {
  if (uid !== lastUid) {
    lastUidIndex = indexOfId(uid)
    lastUid = uid
  }
  if (gid !== lastGid) {
    lastGidIndex = indexOfId(gid)
    lastGid = gid
  }
  uidIndex = lastUidIndex
  gidIndex = lastGidIndex
}

function writeHeader(to: usize, type: u32): usize {
  store<u16>(to, <u16>type)
  // the kernel refuses to mount where file type bits are set
  store<u16>(to, <u16>(mode & 0o7777), 2)
  store<u16>(to, <u16>uidIndex, 4)
  store<u16>(to, <u16>gidIndex, 6)
  store<u32>(to, mtime, 8)
  store<u32>(to, number, 12)
  return to + headerBytes
}

/** @returns its reference. */
export function writeLeaf(leaf: u32): u64 {
  const reference = inodes.reference()
  const type = typeOf(leaf)
  mode = load<u16>(addressOf(Column.modes) + 2 * leaf)
  setOwners(at(Column.uids, leaf), at(Column.gids, leaf))
  mtime = at(Column.mtimes, leaf)
  number = numberOfLeaf(leaf)
  links = linksOfLeaf(leaf)
  const set = at(Column.xattrSets, leaf)
  xattrId = set === 0 ? absent : idOfXattrs(set)
  if (type === Type.file) writeFile(at(Column.homes, at(Column.firsts, leaf)))
  else if (type === Type.symlink) writeSymlink(leaf)
  else writeSpecial(leaf, type)
  return reference
}

function writeFile(content: u32): void {
  const sizeBytes = <u64>load<f64>(addressOf(Column.sizes) + 8 * content)
  const start = <u64>load<f64>(addressOf(Column.starts) + 8 * content)
  const fragment = <i32>at(Column.fragments, content)
  const firstBlock = at(Column.blockStarts, content)
  const count = at(Column.blockEnds, content) - firstBlock
  checkContent(sizeBytes, count, fragment)
  const words = addressOf(Column.blocks) + 4 * firstBlock
  const sparseBytes = holeBytes(words, count, sizeBytes)
  const isBasic =
    xattrId === absent &&
    links === 1 &&
    sparseBytes === 0 &&
    start <= <u64>u32.MAX_VALUE &&
    sizeBytes <= <u64>u32.MAX_VALUE
  const offset = fragment < 0 ? 0 : at(Column.offsets, content)
  if (isBasic) {
    const body = writeHeader(inodes.claim(32), Type.file)
    store<u32>(body, <u32>start)
    store<u32>(body, <u32>fragment, 4)
    store<u32>(body, offset, 8)
    store<u32>(body, <u32>sizeBytes, 12)
  } else {
    const body = writeHeader(inodes.claim(56), Type.file + Type.extended)
    store<u64>(body, start)
    store<u64>(body, sizeBytes, 8)
    store<u64>(body, sparseBytes, 16)
    store<u32>(body, links, 24)
    store<u32>(body, <u32>fragment, 28)
    store<u32>(body, offset, 32)
    store<u32>(body, xattrId, 36)
  }
  for (let block: u32 = 0; block < count; block += 1) {
    store<u32>(inodes.claim(4), load<u32>(words + 4 * block))
  }
}

/** The kernel refuses a content that does not fit its size. */
function checkContent(sizeBytes: u64, count: u32, fragment: i32): void {
  const fullBlocks = sizeBytes / blockSize
  const hasTail = sizeBytes % blockSize > 0
  const expected = fragment < 0 && hasTail ? fullBlocks + 1 : fullBlocks
  if (<u64>count !== expected || (fragment >= 0 && !hasTail)) {
    refuse(Reason.content, <f64>sizeBytes, fragment < 0 ? <f64>count : -1 - <f64>count)
  }
}

/** Bytes in holes, by which the kernel counts a file's used blocks; a file of holes keeps one byte. */
function holeBytes(words: usize, count: u32, sizeBytes: u64): u64 {
  let bytes: u64 = 0
  for (let block: u32 = 0; block < count; block += 1) {
    if (load<u32>(words + 4 * block) === 0) bytes += min(blockSize, sizeBytes - block * blockSize)
  }
  return bytes > 0 && bytes === sizeBytes ? bytes - 1 : bytes
}

function writeSymlink(leaf: u32): void {
  const length = at(Column.seconds, leaf)
  if (length < 1 || length > longestTarget) refuse(Reason.symlinkTarget, length, 0)
  mode = symlinkMode
  const body = writeSmall(Type.symlink, 8 + length)
  store<u32>(body, links)
  store<u32>(body, length, 4)
  memory.copy(body + 8, text + at(Column.firsts, leaf), length)
}

/** Devices, pipes and sockets. */
function writeSpecial(leaf: u32, type: u32): void {
  const isDevice = type === Type.blockDevice || type === Type.charDevice
  const major = at(Column.firsts, leaf)
  const minor = at(Column.seconds, leaf)
  if (isDevice && (major > 0xfff || minor > 0xf_ffff)) refuse(Reason.deviceNumber, major, minor)
  const body = writeSmall(type, isDevice ? 8 : 4)
  store<u32>(body, links)
  // Linux's new_encode_dev
  if (isDevice) store<u32>(body, (minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12), 4)
}

/** An inode whose extended form only adds an xattr id at its end. @returns where its body begins. */
function writeSmall(type: u32, bodyBytes: u32): usize {
  if (xattrId === absent) return writeHeader(inodes.claim(headerBytes + bodyBytes), type)
  const body = writeHeader(inodes.claim(headerBytes + bodyBytes + 4), type + Type.extended)
  store<u32>(body + bodyBytes, xattrId)
  return body
}

/** @returns its reference. */
export function writeDirectory(directory: u32): u64 {
  const reference = inodes.reference()
  if (listingOf(directory) === 0) refuse(Reason.noListing, 0, 0)
  mode = load<u16>(addressOf(Column.directoryModes) + 2 * directory)
  setOwners(at(Column.directoryUids, directory), at(Column.directoryGids, directory))
  mtime = at(Column.directoryMtimes, directory)
  number = numberOfDirectory(directory)
  links = linksOfDirectory(directory)
  const set = at(Column.directoryXattrSets, directory)
  xattrId = set === 0 ? absent : idOfXattrs(set)
  const listing = listingOf(directory)
  const block = blockOf(listing)
  const offset = <u16>(listing & 0xffff)
  const sizeBytes = listingBytes(directory) + impliedBytes
  const places = indexEnd(directory) - indexStart(directory)
  if (xattrId === absent && sizeBytes <= 0xffff && places === 0) {
    const body = writeHeader(inodes.claim(32), Type.directory)
    inodes.refer(body, block)
    store<u32>(body, links, 4)
    store<u16>(body, <u16>sizeBytes, 8)
    store<u16>(body, offset, 10)
    store<u32>(body, parentNumber(directory), 12)
    return reference
  }
  const body = writeHeader(inodes.claim(40), Type.directory + Type.extended)
  store<u32>(body, links)
  store<u32>(body, sizeBytes, 4)
  inodes.refer(body + 8, block)
  store<u32>(body, parentNumber(directory), 12)
  store<u16>(body, <u16>places, 16)
  store<u16>(body, offset, 18)
  store<u32>(body, xattrId, 20)
  writeIndex(directory)
  return reference
}

/** @see format.adoc "Directory Index" */
function writeIndex(directory: u32): void {
  const end = indexEnd(directory)
  for (let number = indexStart(directory); number < end; number += 1) {
    const place = indexPlace(number)
    const child = load<u32>(place, 8)
    const length = nameLength(child)
    const to = inodes.claim(indexPlaceBytes + length)
    store<u32>(to, load<u32>(place))
    inodes.refer(to + 4, load<u32>(place, 4))
    store<u32>(to, length - 1, 8)
    memory.copy(to + indexPlaceBytes, nameStart(child), length)
  }
}
