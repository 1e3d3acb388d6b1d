/** Decompresses the blocks of any image that this Node can read. */
import * as zlib from 'node:zlib'
import { SregistryError } from '../errors/sregistry-error.ts'
import { damagedImage } from './damaged-image.ts'
import { compressorIds } from './format.ts'

export type BlockDecompressor = {
  /** In the thread pool, for data. @throws {SregistryError} IMAGE_INVALID when it is damaged or longer. */
  decompress(stored: Uint8Array, maxBytes: number): Promise<Uint8Array>
  /** At once, for the small blocks of metadata. @throws {SregistryError} IMAGE_INVALID as above. */
  decompressSync(stored: Uint8Array, maxBytes: number): Uint8Array
}

type Limit = { readonly maxOutputLength: number }
type Inflate = (
  stored: Uint8Array,
  limit: Limit,
  done: (error: Error | null, bytes: Buffer) => void,
) => void
type Codec = {
  readonly inflate: Inflate
  readonly inflateSync: (s: Uint8Array, l: Limit) => Buffer
}

/** @throws {SregistryError} UNSUPPORTED for a compressor that Node does not have. */
export function createBlockDecompressor(compressorId: number): BlockDecompressor {
  const { inflate, inflateSync } = codecOf(compressorId)
  return {
    decompress: (stored, maxOutputLength) =>
      new Promise((resolve, reject) => {
        inflate(stored, { maxOutputLength }, (error, bytes) =>
          error === null ? resolve(bytes) : reject(damagedBlock(error)),
        )
      }),
    decompressSync: (stored, maxOutputLength) => {
      try {
        return inflateSync(stored, { maxOutputLength })
      } catch (error) {
        throw damagedBlock(error)
      }
    },
  }
}

function damagedBlock(cause: unknown): SregistryError {
  return damagedImage('a block cannot be decompressed', cause)
}

function codecOf(compressorId: number): Codec {
  if (compressorId === compressorIds.gzip) {
    return { inflate: zlib.inflate, inflateSync: zlib.inflateSync }
  }
  // not in the types of Node 20, nor in Node 20
  const { zstdDecompress, zstdDecompressSync } = zlib as unknown as {
    zstdDecompress?: Inflate
    zstdDecompressSync?: Codec['inflateSync']
  }
  if (compressorId === compressorIds.zstd && zstdDecompress && zstdDecompressSync) {
    return { inflate: zstdDecompress, inflateSync: zstdDecompressSync }
  }
  throw unsupported(compressorId)
}

function unsupported(compressorId: number): SregistryError {
  const name = Object.entries(compressorIds).find(([, id]) => id === compressorId)?.[0]
  if (name === undefined) return damagedImage(`it names the unknown compressor ${compressorId}`)
  return new SregistryError('UNSUPPORTED', `the squashfs image is compressed with ${name}`, {
    hint: name === 'zstd' ? 'use Node 22.15 or later' : 'unsquashfs and mksquashfs can convert it',
  })
}
