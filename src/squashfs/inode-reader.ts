/** Decodes inodes (format.adoc "Inode Table"). */
import { damagedImage } from './damaged-image.ts'
import {
  absentIndex,
  extendedType,
  impliedListingBytes,
  inodeBytes,
  inodeHeaderBytes,
  inodeType,
  referenceBase,
} from './format.ts'
import type { InodeKind } from './inode.ts'
import type { MetadataCursor } from './metadata-reader.ts'

type StoredMetadata = {
  readonly reference: number
  readonly number: number
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly mtime: number
  readonly linkCount: number
  readonly xattrId: number | undefined
}

export type StoredDirectory = StoredMetadata & {
  readonly kind: 'directory'
  /** Place of the listing in the directory table, and its bytes. */
  readonly listing: { readonly reference: number; readonly sizeBytes: number }
  readonly parentNumber: number
}

export type StoredFile = StoredMetadata & {
  readonly kind: 'file'
  readonly sizeBytes: number
  readonly start: number
  readonly fragment: { readonly index: number; readonly offset: number } | undefined
  /** Place of the size words in the inode table. */
  readonly wordsReference: number
}

export type StoredInode =
  | StoredDirectory
  | StoredFile
  | (StoredMetadata & { readonly kind: 'symlink'; readonly target: string })
  | (StoredMetadata & {
      readonly kind: 'char-device' | 'block-device'
      readonly major: number
      readonly minor: number
    })
  | (StoredMetadata & { readonly kind: 'fifo' | 'socket' })

const kinds = new Map<number, InodeKind>(
  Object.entries(inodeType).map(([kind, type]) => [type, kind as InodeKind]),
)

/** @throws {SregistryError} IMAGE_INVALID for a type that does not exist. */
export function kindOfType(type: number): InodeKind {
  const kind = kinds.get(type)
  if (kind === undefined) throw damagedImage(`it has an inode of the unknown type ${type}`)
  return kind
}

/** What lies in the inode behind the header, beside the metadata that every inode has. */
type Body<T extends StoredInode = StoredInode> = T extends StoredInode
  ? Omit<T, Exclude<keyof StoredMetadata, 'linkCount' | 'xattrId'>>
  : never

/**
 * @param ids The image's id table.
 * @throws {SregistryError} IMAGE_INVALID when there is no inode at that place.
 */
export async function readInode(
  cursor: MetadataCursor,
  ids: readonly number[],
): Promise<StoredInode> {
  const { reference } = cursor
  const header = await cursor.read(inodeHeaderBytes)
  const type = header.readUInt16LE(0)
  const isExtended = type > extendedType
  const kind = kindOfType(isExtended ? type - extendedType : type)
  const metadata = {
    reference,
    mode: header.readUInt16LE(2) & 0o7777,
    uid: ownerOf(ids, header.readUInt16LE(4)),
    gid: ownerOf(ids, header.readUInt16LE(6)),
    mtime: header.readUInt32LE(8),
    number: header.readUInt32LE(12),
  }
  return { ...metadata, ...(await readBody(cursor, kind, isExtended)) } as StoredInode
}

function ownerOf(ids: readonly number[], index: number): number {
  const id = ids[index]
  if (id === undefined) throw damagedImage(`it uses owner ${index} of ${ids.length}`)
  return id
}

function readBody(cursor: MetadataCursor, kind: InodeKind, isExtended: boolean): Promise<Body> {
  switch (kind) {
    case 'directory':
      return isExtended ? readExtendedDirectory(cursor) : readBasicDirectory(cursor)
    case 'file':
      return isExtended ? readExtendedFile(cursor) : readBasicFile(cursor)
    case 'symlink':
      return readSymlink(cursor, isExtended)
    case 'char-device':
    case 'block-device':
      return readDevice(cursor, kind, isExtended)
    default:
      return readPipe(cursor, kind, isExtended)
  }
}

async function readBasicDirectory(cursor: MetadataCursor): Promise<Body> {
  const body = await cursor.read(inodeBytes.directory - inodeHeaderBytes)
  return {
    kind: 'directory',
    linkCount: body.readUInt32LE(4),
    xattrId: undefined,
    listing: listingPlace(body.readUInt32LE(0), body.readUInt16LE(10), body.readUInt16LE(8)),
    parentNumber: body.readUInt32LE(12),
  }
}

async function readExtendedDirectory(cursor: MetadataCursor): Promise<Body> {
  const body = await cursor.read(inodeBytes.extendedDirectory - inodeHeaderBytes)
  return {
    kind: 'directory',
    linkCount: body.readUInt32LE(0),
    xattrId: xattrIdOf(body.readUInt32LE(20)),
    listing: listingPlace(body.readUInt32LE(8), body.readUInt16LE(18), body.readUInt32LE(4)),
    parentNumber: body.readUInt32LE(12),
  }
}

/** An empty directory says 3 bytes (mksquashfs) or 0. */
function listingPlace(block: number, offset: number, size: number): StoredDirectory['listing'] {
  return {
    reference: block * referenceBase + offset,
    sizeBytes: Math.max(0, size - impliedListingBytes),
  }
}

async function readBasicFile(cursor: MetadataCursor): Promise<Body> {
  const body = await cursor.read(inodeBytes.file - inodeHeaderBytes)
  return {
    kind: 'file',
    linkCount: 1,
    xattrId: undefined,
    start: body.readUInt32LE(0),
    fragment: fragmentOf(body.readUInt32LE(4), body.readUInt32LE(8)),
    sizeBytes: body.readUInt32LE(12),
    wordsReference: cursor.reference,
  }
}

async function readExtendedFile(cursor: MetadataCursor): Promise<Body> {
  const body = await cursor.read(inodeBytes.extendedFile - inodeHeaderBytes)
  return {
    kind: 'file',
    start: safeNumber(body.readBigUInt64LE(0)),
    sizeBytes: safeNumber(body.readBigUInt64LE(8)),
    linkCount: body.readUInt32LE(24),
    fragment: fragmentOf(body.readUInt32LE(28), body.readUInt32LE(32)),
    xattrId: xattrIdOf(body.readUInt32LE(36)),
    wordsReference: cursor.reference,
  }
}

async function readSymlink(cursor: MetadataCursor, isExtended: boolean): Promise<Body> {
  const body = await cursor.read(8)
  const length = body.readUInt32LE(4)
  if (length === 0 || length > 0xffff) throw damagedImage(`a symlink has ${length} bytes`)
  const target = (await cursor.read(length)).toString('latin1')
  const xattrId = await readXattrId(cursor, isExtended)
  return { kind: 'symlink', linkCount: body.readUInt32LE(0), xattrId, target }
}

async function readDevice(
  cursor: MetadataCursor,
  kind: 'char-device' | 'block-device',
  isExtended: boolean,
): Promise<Body> {
  const body = await cursor.read(8)
  const number = body.readUInt32LE(4)
  return {
    kind,
    linkCount: body.readUInt32LE(0),
    xattrId: await readXattrId(cursor, isExtended),
    major: (number >>> 8) & 0xfff,
    minor: (number & 0xff) | ((number >>> 12) & 0xf_ff00),
  }
}

async function readPipe(
  cursor: MetadataCursor,
  kind: 'fifo' | 'socket',
  isExtended: boolean,
): Promise<Body> {
  const linkCount = (await cursor.read(4)).readUInt32LE(0)
  return { kind, linkCount, xattrId: await readXattrId(cursor, isExtended) }
}

async function readXattrId(
  cursor: MetadataCursor,
  isExtended: boolean,
): Promise<number | undefined> {
  return isExtended ? xattrIdOf((await cursor.read(4)).readUInt32LE(0)) : undefined
}

function xattrIdOf(value: number): number | undefined {
  return value === absentIndex ? undefined : value
}

function fragmentOf(index: number, offset: number): StoredFile['fragment'] {
  return index === absentIndex ? undefined : { index, offset }
}

function safeNumber(value: bigint): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw damagedImage('a size is out of range')
  return Number(value)
}
