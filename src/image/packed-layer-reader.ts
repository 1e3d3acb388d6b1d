/** Reads the index of a packed layer and checks everything in it that later reads rely on. */
import { constants } from 'node:buffer'
import { createHash } from 'node:crypto'
import { SregistryError } from '../errors/sregistry-error.ts'
import type { Digest } from '../registry/digest.ts'
import { blockRaw } from '../squashfs/format.ts'
import { isDiskError } from '../storage/disk-error.ts'
import { type OpenFile, openInThread } from '../storage/thread-file.ts'
import { type Bounds, decodeEntries } from './entry-decoder.ts'
import { damaged, IndexDecoder } from './index-decoder.ts'
import type { PackedFragment, PackedLayer } from './packed-layer.ts'
import {
  checksumOffset,
  compressionKinds,
  digestAlgorithms,
  headerBytes,
  headerMagic,
  packedLayerVersion,
  trailerBytes,
  trailerMagic,
} from './packed-layer-format.ts'

/**
 * @throws {SregistryError} IMAGE_INVALID when the file is damaged, cut, of another version or no packed
 *   layer; STORAGE when it cannot be opened; ENOENT as it is: an entry of the cache may be cleaned at any time.
 */
export async function readPackedLayer(path: string): Promise<PackedLayer> {
  const file = await openInThread(path, 'r').catch((cause: unknown) => {
    if (isDiskError(cause, 'ENOENT')) throw cause
    throw new SregistryError('STORAGE', `${path} cannot be opened`, { cause })
  })
  try {
    const { index, position } = await readIndex(file)
    return decodeIndex(index, position, path)
  } finally {
    await file.close()
  }
}

type FoundIndex = { readonly index: Buffer; readonly position: number }

async function readIndex(file: OpenFile): Promise<FoundIndex> {
  const { size } = await file.stat()
  if (size < headerBytes + trailerBytes) throw damaged('the file is too short')
  const header = await readAt(file, 0, headerBytes)
  if (!header.subarray(0, headerMagic.length).equals(headerMagic)) {
    throw damaged('the file is no packed layer')
  }
  checkVersion(header.readUInt32LE(headerMagic.length))
  const trailer = await readAt(file, size - trailerBytes, trailerBytes)
  checkVersion(trailer.readUInt32LE(16))
  const position = Number(trailer.readBigUInt64LE(0))
  const indexBytes = Number(trailer.readBigUInt64LE(8))
  const isWhole = position + indexBytes + trailerBytes === size && position >= headerBytes
  if (!isWhole || !trailer.subarray(20, 24).equals(trailerMagic)) throw damaged('the file is cut')
  if (indexBytes > constants.MAX_STRING_LENGTH) throw damaged('its index is too large')
  const index = await readAt(file, position, indexBytes)
  const checksum = createHash('sha256').update(index).update(trailer.subarray(0, checksumOffset))
  if (!checksum.digest().equals(trailer.subarray(checksumOffset))) {
    throw damaged('the checksum of its index is wrong')
  }
  return { index, position }
}

function checkVersion(version: number): void {
  if (version === packedLayerVersion) return
  throw damaged(`it has version ${version}, this program reads ${packedLayerVersion}`)
}

async function readAt(file: OpenFile, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(length)
  let filled = 0
  while (filled < length) {
    const { bytesRead } = await file.read(buffer, filled, length - filled, position + filled)
    if (bytesRead === 0) throw damaged('the file is cut')
    filled += bytesRead
  }
  return buffer
}

/**
 * @param dataEnd Where the blocks end in the file.
 * @throws {SregistryError} IMAGE_INVALID.
 */
export function decodeIndex(index: Buffer, dataEnd: number, path: string): PackedLayer {
  const decoder = new IndexDecoder(index)
  const blobDigest = decodeDigest(decoder)
  const diffId = decodeDigest(decoder)
  if (diffId === undefined) throw damaged('it has no diff id')
  const compression = { kind: decoder.choice(compressionKinds), level: decoder.number() }
  const parameters = { compression, blockSize: decoder.number() }
  checkBlockSize(parameters.blockSize)
  const library = decoder.latin1()
  const tarBytes = decoder.number()
  const bounds = { dataEnd, blockSize: parameters.blockSize }
  const fragments = decodeList(decoder, () => decodeFragment(decoder, bounds))
  const entries = decodeEntries(decoder, fragments, bounds)
  decoder.finish()
  return { path, parameters, library, blobDigest, diffId, tarBytes, fragments, entries }
}

function checkBlockSize(size: number): void {
  const isPowerOfTwo = Number.isInteger(Math.log2(size))
  if (!isPowerOfTwo || size < 4096 || size > 1_048_576) throw damaged('its block size is wrong')
}

function decodeList<T>(decoder: IndexDecoder, decodeOne: () => T): T[] {
  const count = decoder.count()
  const list: T[] = []
  for (let i = 0; i < count; i += 1) list.push(decodeOne())
  return list
}

function decodeDigest(decoder: IndexDecoder): Digest | undefined {
  const algorithm = decoder.choice([undefined, ...digestAlgorithms].map((name) => ({ name }))).name
  if (algorithm === undefined) return undefined
  const hex = Buffer.from(decoder.bytes()).toString('hex')
  if (hex.length !== (algorithm === 'sha256' ? 64 : 128)) throw damaged('a digest is too short')
  return { algorithm, hex }
}

function decodeFragment(decoder: IndexDecoder, bounds: Bounds): PackedFragment {
  const position = decoder.number()
  const sizeWord = decoder.number()
  const sizeBytes = decoder.number()
  const { dataEnd, blockSize } = bounds
  const stored = sizeWord % blockRaw
  if (sizeWord >= 2 * blockRaw || stored === 0 || stored > blockSize) {
    throw damaged('the size of a block is wrong')
  }
  if (sizeBytes > blockSize) throw damaged('a fragment is too large')
  if (position < headerBytes || position + stored > dataEnd) {
    throw damaged('a block lies outside the file')
  }
  return { position, sizeWord, sizeBytes }
}
