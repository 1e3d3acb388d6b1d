/**
 * Writes SIF files in one forward pass: everything that precedes the squashfs is known before it, so
 * the prefix is made first and the squashfs is copied after it (FORMATS § 6.1 to 6.4). Deterministic
 * as the format's own library defines it: UUID zero, all times {@link deterministicTime}.
 */
import { SregistryError } from '../errors/sregistry-error.ts'
import {
  architectureCode,
  dataStart,
  dataTypes,
  defaultGroup,
  descriptor,
  descriptorSlots,
  descriptorsStart,
  deterministicTime,
  fileSystems,
  groupMask,
  header,
  launchScript,
  partitionAlignment,
  partitionExtra,
  partitionTypes,
  sifMagic,
  sifVersion,
} from './sif-format.ts'

export type SifContents = {
  /** Text of the definition file. */
  readonly deffile: Uint8Array
  /** JSON objects beside the image; written in the order of their names. */
  readonly jsonObjects: readonly { readonly name: string; readonly bytes: Uint8Array }[]
  /** Length of the squashfs, padded to a multiple of 4096. */
  readonly partitionBytes: number
  /** As in the image's config (`amd64`); undefined when it says none. */
  readonly architecture: string | undefined
}

export type SifPrefix = {
  /** What precedes the squashfs. */
  readonly bytes: Uint8Array
  /** Where the squashfs starts, a multiple of 4096: the length of `bytes`. */
  readonly partitionOffset: number
}

type SifObject = {
  readonly dataType: number
  readonly name: string
  readonly offset: number
  readonly sizeBytes: number
  /** Bytes since the end of the object before. */
  readonly paddingBytes: number
  readonly extra: Uint8Array
}

/**
 * The bytes before the squashfs. What follows them must be exactly `partitionBytes` long.
 * @throws {SregistryError} INTERNAL when the squashfs is not padded, there are more objects than slots, or a
 *   name does not fit.
 */
export function sifPrefix(contents: SifContents): SifPrefix {
  refuseUnwritable(contents)
  const objects = layOut(contents)
  const partition = objects[objects.length - 1]?.offset ?? 0
  const bytes = Buffer.alloc(partition)
  writeHeader(bytes, { architecture: contents.architecture, used: objects.length })
  bytes.writeBigInt64LE(BigInt(partition + contents.partitionBytes - dataStart), header.dataSize)
  for (const [index, object] of objects.entries()) writeDescriptor(bytes, index, object)
  const payloads = [contents.deffile, ...sortedJson(contents).map(({ bytes: json }) => json)]
  for (const [index, payload] of payloads.entries()) bytes.set(payload, objects[index]?.offset ?? 0)
  return { bytes, partitionOffset: partition }
}

function refuseUnwritable({ partitionBytes, jsonObjects }: SifContents): void {
  if (!Number.isSafeInteger(partitionBytes / partitionAlignment) || partitionBytes <= 0) {
    throw new SregistryError(
      'INTERNAL',
      `a squashfs of ${partitionBytes} bytes is not padded for SIF`,
    )
  }
  if (jsonObjects.length + 2 > descriptorSlots) {
    throw new SregistryError('INTERNAL', `${jsonObjects.length} JSON objects do not fit a SIF`)
  }
  for (const { name } of jsonObjects) {
    if (Buffer.byteLength(name) >= descriptor.nameBytes) {
      throw new SregistryError('INTERNAL', `"${name}" is too long a name for a SIF object`)
    }
  }
}

function layOut(contents: SifContents): readonly SifObject[] {
  const noExtra = new Uint8Array()
  const objects: SifObject[] = []
  let end = dataStart
  const place = (object: Omit<SifObject, 'offset' | 'paddingBytes'>, alignment: number) => {
    const offset = Math.ceil(end / alignment) * alignment
    objects.push({ ...object, offset, paddingBytes: offset - end })
    end = offset + object.sizeBytes
  }
  const { deffile, partitionBytes: sizeBytes } = contents
  place({ dataType: dataTypes.deffile, name: '', sizeBytes: deffile.length, extra: noExtra }, 1)
  for (const { name, bytes } of sortedJson(contents)) {
    place({ dataType: dataTypes.genericJson, name, sizeBytes: bytes.length, extra: noExtra }, 1)
  }
  const extra = encodePartitionExtra(contents.architecture)
  place({ dataType: dataTypes.partition, name: '', sizeBytes, extra }, partitionAlignment)
  return objects
}

function sortedJson({ jsonObjects }: SifContents): SifContents['jsonObjects'] {
  return [...jsonObjects].sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)))
}

function encodePartitionExtra(architecture: string | undefined): Uint8Array {
  const extra = Buffer.alloc(partitionExtra.architecture + 3)
  extra.writeInt32LE(fileSystems.squashfs, partitionExtra.fileSystem)
  extra.writeInt32LE(partitionTypes.primarySystem, partitionExtra.partitionType)
  extra.write(architectureCode(architecture), partitionExtra.architecture, 'latin1')
  return extra
}

function writeHeader(
  bytes: Buffer,
  { architecture, used }: { architecture: string | undefined; used: number },
): void {
  bytes.write(launchScript, header.launch, 'latin1')
  bytes.write(sifMagic, header.magic, 'latin1')
  bytes.write(sifVersion, header.version, 'latin1')
  bytes.write(architectureCode(architecture), header.architecture, 'latin1')
  bytes.writeBigInt64LE(deterministicTime, header.created)
  bytes.writeBigInt64LE(deterministicTime, header.modified)
  bytes.writeBigInt64LE(BigInt(descriptorSlots - used), header.descriptorsFree)
  bytes.writeBigInt64LE(BigInt(descriptorSlots), header.descriptorsTotal)
  bytes.writeBigInt64LE(BigInt(descriptorsStart), header.descriptorsOffset)
  bytes.writeBigInt64LE(BigInt(descriptorSlots * descriptor.sizeBytes), header.descriptorsSize)
  bytes.writeBigInt64LE(BigInt(dataStart), header.dataOffset)
}

function writeDescriptor(bytes: Buffer, index: number, object: SifObject): void {
  const at = descriptorsStart + index * descriptor.sizeBytes
  bytes.writeInt32LE(object.dataType, at + descriptor.dataType)
  bytes.writeUInt8(1, at + descriptor.used)
  bytes.writeUInt32LE(index + 1, at + descriptor.id)
  bytes.writeUInt32LE(groupMask + defaultGroup, at + descriptor.group)
  bytes.writeBigInt64LE(BigInt(object.offset), at + descriptor.offset)
  bytes.writeBigInt64LE(BigInt(object.sizeBytes), at + descriptor.size)
  const padded = BigInt(object.sizeBytes + object.paddingBytes)
  bytes.writeBigInt64LE(padded, at + descriptor.sizeWithPadding)
  bytes.writeBigInt64LE(deterministicTime, at + descriptor.created)
  bytes.writeBigInt64LE(deterministicTime, at + descriptor.modified)
  bytes.write(object.name, at + descriptor.name)
  bytes.set(object.extra, at + descriptor.extra)
}
