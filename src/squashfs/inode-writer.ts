/** Encodes inodes (format.adoc "Inode Table"): the basic form where it can say all, else the extended one. */
import { SregistryError } from '../errors/sregistry-error.ts'
import type { DirectoryListing } from './directory-writer.ts'
import {
  absentIndex,
  extendedType,
  impliedListingBytes,
  indexEntryBytes,
  inodeBytes,
  inodeHeaderBytes,
  inodeType,
  longestTarget,
  referenceBase,
} from './format.ts'
import type { DeviceInode, FileContent, PipeInode, SymlinkInode } from './inode.ts'
import type { MetadataWriter } from './metadata-writer.ts'

/** What every inode says, with ids and xattrs as indexes into their tables. */
export type InodeHeader = {
  readonly mode: number
  readonly uidIndex: number
  readonly gidIndex: number
  readonly mtime: number
  readonly number: number
  readonly linkCount: number
  /** `absentIndex` when there are none. */
  readonly xattrId: number
}

/** Writes the header and returns where the body begins. */
function writeHeader(out: MetadataWriter, at: number, type: number, header: InodeHeader): number {
  const { view } = out
  view.setUint16(at, type, true)
  // the kernel refuses to mount where file type bits are set
  view.setUint16(at + 2, header.mode & 0o7777, true)
  view.setUint16(at + 4, header.uidIndex, true)
  view.setUint16(at + 6, header.gidIndex, true)
  view.setUint32(at + 8, header.mtime, true)
  view.setUint32(at + 12, header.number, true)
  return at + inodeHeaderBytes
}

/** @throws {SregistryError} INTERNAL when the content does not fit its size, which the kernel refuses. */
export function writeFileInode(
  out: MetadataWriter,
  header: InodeHeader,
  content: FileContent,
  blockSize: number,
): void {
  checkContent(content, blockSize)
  const sparseBytes = holeBytes(content, blockSize)
  const isBasic =
    header.xattrId === absentIndex &&
    header.linkCount === 1 &&
    sparseBytes === 0 &&
    content.start <= 0xffff_ffff &&
    content.sizeBytes <= 0xffff_ffff
  const fixedBytes = isBasic ? inodeBytes.file : inodeBytes.extendedFile
  const at = out.claim(fixedBytes + 4 * content.blocks.length)
  if (isBasic) writeBasicFile(out, at, header, content)
  else writeExtendedFile(out, at, header, content, sparseBytes)
  for (let index = 0; index < content.blocks.length; index++) {
    out.view.setUint32(at + fixedBytes + 4 * index, content.blocks[index] ?? 0, true)
  }
}

function writeBasicFile(
  out: MetadataWriter,
  at: number,
  header: InodeHeader,
  content: FileContent,
): void {
  const body = writeHeader(out, at, inodeType.file, header)
  out.view.setUint32(body, content.start, true)
  out.view.setUint32(body + 4, content.fragment?.index ?? absentIndex, true)
  out.view.setUint32(body + 8, content.fragment?.offset ?? 0, true)
  out.view.setUint32(body + 12, content.sizeBytes, true)
}

function writeExtendedFile(
  out: MetadataWriter,
  at: number,
  header: InodeHeader,
  content: FileContent,
  sparseBytes: number,
): void {
  const body = writeHeader(out, at, inodeType.file + extendedType, header)
  out.view.setBigUint64(body, BigInt(content.start), true)
  out.view.setBigUint64(body + 8, BigInt(content.sizeBytes), true)
  out.view.setBigUint64(body + 16, BigInt(sparseBytes), true)
  out.view.setUint32(body + 24, header.linkCount, true)
  out.view.setUint32(body + 28, content.fragment?.index ?? absentIndex, true)
  out.view.setUint32(body + 32, content.fragment?.offset ?? 0, true)
  out.view.setUint32(body + 36, header.xattrId, true)
}

function checkContent({ sizeBytes, blocks, fragment }: FileContent, blockSize: number): void {
  const fullBlocks = Math.floor(sizeBytes / blockSize)
  const tailBytes = sizeBytes % blockSize
  const expected = fragment === undefined && tailBytes > 0 ? fullBlocks + 1 : fullBlocks
  if (blocks.length === expected && (fragment === undefined || tailBytes > 0)) return
  throw new SregistryError(
    'INTERNAL',
    `a file of ${sizeBytes} bytes has ${blocks.length} blocks${fragment ? ' and a fragment' : ''}`,
  )
}

/** Bytes in holes, by which the kernel counts a file's used blocks; a file of holes keeps one byte. */
function holeBytes({ sizeBytes, blocks }: FileContent, blockSize: number): number {
  let bytes = 0
  for (let index = 0; index < blocks.length; index++) {
    if (blocks[index] === 0) bytes += Math.min(blockSize, sizeBytes - index * blockSize)
  }
  return bytes > 0 && bytes === sizeBytes ? bytes - 1 : bytes
}

/** @param parentNumber For the root, one more than the last inode number. */
export function writeDirectoryInode(
  out: MetadataWriter,
  header: InodeHeader,
  listing: DirectoryListing,
  parentNumber: number,
): void {
  const block = Math.floor(listing.reference / referenceBase)
  const offset = listing.reference % referenceBase
  const sizeBytes = listing.sizeBytes + impliedListingBytes
  const hasIndex = listing.index.length > 0
  if (header.xattrId === absentIndex && sizeBytes <= 0xffff && !hasIndex) {
    const body = writeHeader(out, out.claim(inodeBytes.directory), inodeType.directory, header)
    out.refer(body, block)
    out.view.setUint32(body + 4, header.linkCount, true)
    out.view.setUint16(body + 8, sizeBytes, true)
    out.view.setUint16(body + 10, offset, true)
    out.view.setUint32(body + 12, parentNumber, true)
    return
  }
  const at = out.claim(inodeBytes.extendedDirectory)
  const body = writeHeader(out, at, inodeType.directory + extendedType, header)
  out.view.setUint32(body, header.linkCount, true)
  out.view.setUint32(body + 4, sizeBytes, true)
  out.refer(body + 8, block)
  out.view.setUint32(body + 12, parentNumber, true)
  out.view.setUint16(body + 16, listing.index.length, true)
  out.view.setUint16(body + 18, offset, true)
  out.view.setUint32(body + 20, header.xattrId, true)
  writeIndex(out, listing)
}

/** @see format.adoc "Directory Index" */
function writeIndex(out: MetadataWriter, { index }: DirectoryListing): void {
  for (const { listingOffset, block, name } of index) {
    const at = out.claim(indexEntryBytes + name.length)
    out.view.setUint32(at, listingOffset, true)
    out.refer(at + 4, block)
    out.view.setUint32(at + 8, name.length - 1, true)
    out.bytes.write(name, at + indexEntryBytes, 'latin1')
  }
}

/** @throws {SregistryError} LIMIT_EXCEEDED for a target that is empty or has more than 4095 bytes. */
export function writeSymlinkInode(
  out: MetadataWriter,
  header: InodeHeader,
  { target }: SymlinkInode,
): void {
  if (target.length < 1 || target.length > longestTarget) {
    throw new SregistryError('LIMIT_EXCEEDED', `a symlink's target has ${target.length} bytes`, {
      hint: `squashfs takes 1 to ${longestTarget} bytes; remove the symlink from the image`,
    })
  }
  const { at, type, xattrAt } = claimSmall(out, header, 'symlink', target.length)
  const body = writeHeader(out, at, type, header)
  out.view.setUint32(body, header.linkCount, true)
  out.view.setUint32(body + 4, target.length, true)
  out.bytes.write(target, body + 8, 'latin1')
  writeXattrId(out, xattrAt, header)
}

/** @throws {SregistryError} LIMIT_EXCEEDED for a device number that squashfs cannot hold. */
export function writeDeviceInode(
  out: MetadataWriter,
  header: InodeHeader,
  { kind, major, minor }: DeviceInode,
): void {
  if (major > 0xfff || minor > 0xf_ffff) {
    throw new SregistryError('LIMIT_EXCEEDED', `a device has the number ${major}:${minor}`, {
      hint: 'squashfs takes numbers up to 4095:1048575; remove the device from the image',
    })
  }
  const { at, type, xattrAt } = claimSmall(out, header, kind, 0)
  const body = writeHeader(out, at, type, header)
  out.view.setUint32(body, header.linkCount, true)
  // Linux's new_encode_dev
  out.view.setUint32(body + 4, (minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12), true)
  writeXattrId(out, xattrAt, header)
}

export function writePipeInode(
  out: MetadataWriter,
  header: InodeHeader,
  { kind }: PipeInode,
): void {
  const { at, type, xattrAt } = claimSmall(out, header, kind, 0)
  const body = writeHeader(out, at, type, header)
  out.view.setUint32(body, header.linkCount, true)
  writeXattrId(out, xattrAt, header)
}

const smallBytes = {
  symlink: inodeBytes.symlink,
  'block-device': inodeBytes.device,
  'char-device': inodeBytes.device,
  fifo: inodeBytes.pipe,
  socket: inodeBytes.pipe,
} as const

type SmallInode = {
  readonly at: number
  readonly type: number
  readonly xattrAt: number | undefined
}

/** Room for an inode whose extended form only adds an xattr id at its end. */
function claimSmall(
  out: MetadataWriter,
  header: InodeHeader,
  kind: keyof typeof smallBytes,
  targetBytes: number,
): SmallInode {
  const sizeBytes = smallBytes[kind] + targetBytes
  if (header.xattrId === absentIndex) {
    return { at: out.claim(sizeBytes), type: inodeType[kind], xattrAt: undefined }
  }
  const at = out.claim(sizeBytes + inodeBytes.xattrId)
  return { at, type: inodeType[kind] + extendedType, xattrAt: at + sizeBytes }
}

function writeXattrId(out: MetadataWriter, at: number | undefined, header: InodeHeader): void {
  if (at !== undefined) out.view.setUint32(at, header.xattrId, true)
}
