import { SregistryError } from '../errors/sregistry-error.ts'
import { damagedImage } from './damaged-image.ts'
import {
  absentTable,
  fragmentEntryBytes,
  idEntryBytes,
  largestBlockSize,
  magic,
  metadataBlockBytes,
  smallestBlockSize,
  superblockBytes,
  superblockField,
  version,
} from './format.ts'
import type { Superblock } from './superblock.ts'

/**
 * Decodes and checks the first 96 bytes of an image.
 * @throws {SregistryError} IMAGE_INVALID when they are no superblock of version 4.0, or when a table
 *   lies outside of the image.
 */
export function decodeSuperblock(bytes: Uint8Array): Superblock {
  if (bytes.length < superblockBytes) throw damagedImage('it is shorter than a superblock')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const u32 = (at: number) => view.getUint32(at, true)
  const u16 = (at: number) => view.getUint16(at, true)
  if (u32(superblockField.magic) !== magic) {
    throw new SregistryError('IMAGE_INVALID', 'the file is no squashfs image')
  }
  if (
    u16(superblockField.versionMajor) !== version.major ||
    u16(superblockField.versionMinor) !== 0
  ) {
    throw new SregistryError('IMAGE_INVALID', 'the squashfs image is not of version 4.0')
  }
  const superblock = {
    inodeCount: u32(superblockField.inodeCount),
    createdSeconds: u32(superblockField.createdSeconds),
    blockSize: u32(superblockField.blockSize),
    fragmentCount: u32(superblockField.fragmentCount),
    compressor: u16(superblockField.compressor),
    flags: u16(superblockField.flags),
    idCount: u16(superblockField.idCount),
    rootReference: requiredPosition(view, 'rootReference'),
    bytesUsed: requiredPosition(view, 'bytesUsed'),
    idTable: requiredPosition(view, 'idTable'),
    xattrTable: readPosition(view, 'xattrTable'),
    inodeTable: requiredPosition(view, 'inodeTable'),
    directoryTable: requiredPosition(view, 'directoryTable'),
    fragmentTable: readPosition(view, 'fragmentTable'),
    exportTable: readPosition(view, 'exportTable'),
  }
  checkBlockSize(superblock, u16(superblockField.blockLog))
  checkTables(superblock)
  return superblock
}

type PositionField = keyof typeof superblockField & keyof Superblock

function readPosition(view: DataView, field: PositionField): number | undefined {
  const value = view.getBigUint64(superblockField[field], true)
  if (value === absentTable) return undefined
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw damagedImage(`${field} is out of range`)
  return Number(value)
}

function requiredPosition(view: DataView, field: PositionField): number {
  const position = readPosition(view, field)
  if (position === undefined) throw damagedImage(`it has no ${field}`)
  return position
}

function checkBlockSize({ blockSize }: Superblock, blockLog: number): void {
  const isInRange = blockSize >= smallestBlockSize && blockSize <= largestBlockSize
  if (!isInRange || blockSize !== 2 ** blockLog) {
    throw damagedImage(`its block size is ${blockSize}, with a logarithm of ${blockLog}`)
  }
}

/** The order of the parts is fixed: inodes, directories, fragments, export, ids, xattrs (FORMATS § 1.1). */
function checkTables(superblock: Superblock): void {
  const { fragmentCount, fragmentTable, exportTable, idTable, idCount, bytesUsed } = superblock
  if (idCount === 0) throw damagedImage('it has no owners')
  const inOrder = [superblockBytes, superblock.inodeTable, superblock.directoryTable]
  if (fragmentCount > 0) {
    if (fragmentTable === undefined) throw damagedImage('it has fragments and no table of them')
    inOrder.push(fragmentTable, fragmentTable + indexBytes(fragmentCount * fragmentEntryBytes))
  }
  if (exportTable !== undefined) inOrder.push(exportTable)
  inOrder.push(idTable, idTable + indexBytes(idCount * idEntryBytes))
  inOrder.push(superblock.xattrTable ?? bytesUsed, bytesUsed)
  if (inOrder.some((position, at) => position < (inOrder[at - 1] ?? 0))) {
    throw damagedImage('its tables are out of place')
  }
}

function indexBytes(tableBytes: number): number {
  return 8 * Math.ceil(tableBytes / metadataBlockBytes)
}
