/**
 * Reads SIF files: the header, the descriptors, and where the squashfs lies (FORMATS § 6.1 to 6.3).
 * A file may come from anywhere, so every number in it is checked before it is used.
 */
import { open } from 'node:fs/promises'
import { SregistryError } from '../errors/sregistry-error.ts'
import {
  architectureOfCode,
  dataTypes,
  descriptor,
  fileSystems,
  header,
  partitionExtra,
  partitionTypes,
  sifMagic,
  sifVersion,
} from './sif-format.ts'

export type SifHeader = {
  /** OCI name; undefined when the file says "unknown". */
  readonly architecture: string | undefined
  readonly descriptorsTotal: number
  readonly descriptorsOffset: number
}

/** An object that the file holds. */
export type SifObject = {
  readonly id: number
  readonly dataType: number
  readonly name: string
  readonly offset: number
  readonly sizeBytes: number
  /** Set for partitions only. */
  readonly partition: SifPartition | undefined
}

export type SifPartition = {
  readonly fileSystem: number
  readonly partitionType: number
  readonly architecture: string | undefined
}

export type SifFile = {
  readonly header: SifHeader
  readonly objects: readonly SifObject[]
  /** The squashfs that is the container's root. */
  readonly primary: SifObject
}

/** Far more than any file has; guards against a count that is made up. */
const maxDescriptors = 65_536

/**
 * Reads what a SIF file holds; the objects themselves stay unread.
 * @throws {SregistryError} IMAGE_INVALID when it is damaged, or has no squashfs to run.
 */
export async function readSif(path: string): Promise<SifFile> {
  const file = await open(path)
  try {
    const fileBytes = (await file.stat()).size
    const read = async (position: number, length: number): Promise<Buffer> => {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, position)
      return buffer.subarray(0, bytesRead)
    }
    const sifHeader = decodeSifHeader(await read(0, header.sizeBytes), fileBytes)
    const table = await read(
      sifHeader.descriptorsOffset,
      sifHeader.descriptorsTotal * descriptor.sizeBytes,
    )
    const objects = decodeSifObjects(table, fileBytes)
    return { header: sifHeader, objects, primary: primaryPartition(objects) }
  } finally {
    await file.close()
  }
}

/** @throws {SregistryError} IMAGE_INVALID when it is no header of a file of `fileBytes` bytes. */
export function decodeSifHeader(bytes: Uint8Array, fileBytes: number): SifHeader {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (view.length < header.sizeBytes) throw invalid('is too short to be a SIF')
  if (text(view, header.magic, sifMagic.length) !== sifMagic) throw invalid('is no SIF')
  const version = text(view, header.version, sifVersion.length)
  if (version !== sifVersion)
    throw invalid(`has the unknown SIF version ${JSON.stringify(version)}`)
  const descriptorsTotal = count(view, header.descriptorsTotal)
  const descriptorsOffset = count(view, header.descriptorsOffset)
  if (descriptorsTotal > maxDescriptors) throw invalid('has an impossible number of objects')
  if (descriptorsOffset + descriptorsTotal * descriptor.sizeBytes > fileBytes) {
    throw invalid('ends inside its table of objects')
  }
  const architecture = architectureOfCode(text(view, header.architecture, 3))
  return { architecture, descriptorsTotal, descriptorsOffset }
}

/** @throws {SregistryError} IMAGE_INVALID when an object lies outside of a file of `fileBytes` bytes. */
export function decodeSifObjects(table: Uint8Array, fileBytes: number): readonly SifObject[] {
  const view = Buffer.from(table.buffer, table.byteOffset, table.byteLength)
  const objects: SifObject[] = []
  for (let at = 0; at + descriptor.sizeBytes <= view.length; at += descriptor.sizeBytes) {
    const slot = view.subarray(at, at + descriptor.sizeBytes)
    if (slot.readUInt8(descriptor.used) === 0) continue
    const object = decodeObject(slot)
    if (object.offset + object.sizeBytes > fileBytes) {
      throw invalid(`ends inside its object ${object.id}`)
    }
    objects.push(object)
  }
  return objects
}

/** @throws {SregistryError} IMAGE_INVALID when there is none, or more than one, or it is no squashfs. */
export function primaryPartition(objects: readonly SifObject[]): SifObject {
  const primaries = objects.filter(
    ({ partition }) => partition?.partitionType === partitionTypes.primarySystem,
  )
  const [primary] = primaries
  if (primary === undefined) throw invalid('has no root file system')
  if (primaries.length > 1) throw invalid('has more than one root file system')
  if (primary.partition?.fileSystem !== fileSystems.squashfs) {
    throw invalid('has a root file system that is no plain squashfs')
  }
  return primary
}

function decodeObject(slot: Buffer): SifObject {
  const dataType = slot.readInt32LE(descriptor.dataType)
  const [name = ''] = slot
    .toString('utf8', descriptor.name, descriptor.name + descriptor.nameBytes)
    .split('\0')
  return {
    id: slot.readUInt32LE(descriptor.id),
    dataType,
    name,
    offset: count(slot, descriptor.offset),
    sizeBytes: count(slot, descriptor.size),
    partition: dataType === dataTypes.partition ? decodePartition(slot) : undefined,
  }
}

function decodePartition(slot: Buffer): SifPartition {
  const extra = slot.subarray(descriptor.extra)
  return {
    fileSystem: extra.readInt32LE(partitionExtra.fileSystem),
    partitionType: extra.readInt32LE(partitionExtra.partitionType),
    architecture: architectureOfCode(text(extra, partitionExtra.architecture, 3)),
  }
}

function text(view: Buffer, offset: number, length: number): string {
  return view.toString('latin1', offset, offset + length)
}

/** An i64 that counts or measures something: from 0 to 2^52, so that two of them add up exactly. */
function count(view: Buffer, offset: number): number {
  const value = view.readBigInt64LE(offset)
  if (value < 0n || value > 0xf_ffff_ffff_ffffn) throw invalid('has an impossible size or position')
  return Number(value)
}

function invalid(what: string): SregistryError {
  return new SregistryError('IMAGE_INVALID', `the file ${what}`, { hint: 'pull the image again' })
}
