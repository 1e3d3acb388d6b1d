import { absentTable, magic, superblockBytes, superblockField, version } from './format.ts'
import type { Superblock } from './superblock.ts'

/** Encodes the 96 bytes at the begin of an image. @see format.adoc "The Superblock" */
export function encodeSuperblock(superblock: Superblock): Uint8Array {
  const bytes = new Uint8Array(superblockBytes)
  const view = new DataView(bytes.buffer)
  const u32 = (at: number, value: number) => view.setUint32(at, value, true)
  const u16 = (at: number, value: number) => view.setUint16(at, value, true)
  const u64 = (at: number, value: number | undefined) =>
    view.setBigUint64(at, value === undefined ? absentTable : BigInt(value), true)
  u32(superblockField.magic, magic)
  u32(superblockField.inodeCount, superblock.inodeCount)
  u32(superblockField.createdSeconds, superblock.createdSeconds)
  u32(superblockField.blockSize, superblock.blockSize)
  u32(superblockField.fragmentCount, superblock.fragmentCount)
  u16(superblockField.compressor, superblock.compressor)
  // redundant with the block size; the kernel refuses an image where they differ
  u16(superblockField.blockLog, Math.log2(superblock.blockSize))
  u16(superblockField.flags, superblock.flags)
  u16(superblockField.idCount, superblock.idCount)
  u16(superblockField.versionMajor, version.major)
  u16(superblockField.versionMinor, version.minor)
  u64(superblockField.rootReference, superblock.rootReference)
  u64(superblockField.bytesUsed, superblock.bytesUsed)
  u64(superblockField.idTable, superblock.idTable)
  u64(superblockField.xattrTable, superblock.xattrTable)
  u64(superblockField.inodeTable, superblock.inodeTable)
  u64(superblockField.directoryTable, superblock.directoryTable)
  u64(superblockField.fragmentTable, superblock.fragmentTable)
  u64(superblockField.exportTable, superblock.exportTable)
  return bytes
}
