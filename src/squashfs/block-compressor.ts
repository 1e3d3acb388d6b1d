/**
 * Compresses single blocks for squashfs (FORMATS § 1.4): gzip means a zlib stream (RFC 1950), zstd one
 * frame with a window no larger than the block. Bytes depend on the input, the level and the version
 * of the library only.
 */
import { createRequire } from 'node:module'
import * as zlib from 'node:zlib'
import { SregistryError } from '../errors/sregistry-error.ts'
import type { Compression } from './compression.ts'
import { metadataBlockBytes } from './format.ts'
import type { MetadataCompressor } from './stored-blocks.ts'

export type BlockCompressor = MetadataCompressor & {
  /** Name and version of what compresses, such as `zlib 1.3.1`: equal versions make equal bytes. */
  readonly library: string
  /** On the thread pool. The block itself when compressing makes it no smaller; it is then stored raw. */
  compress(block: Uint8Array): Promise<Uint8Array>
  /** As compress, with the same bytes. */
  compressSync(block: Uint8Array): Uint8Array
  /** @throws {SregistryError} IMAGE_INVALID when damaged or longer than maxBytes. */
  decompressSync(stored: Uint8Array, maxBytes: number): Uint8Array
}

/** @throws {SregistryError} UNSUPPORTED for zstd on a Node that has none. */
export function createBlockCompressor(compression: Compression): BlockCompressor {
  switch (compression.kind) {
    case 'gzip':
      return new GzipCompressor(compression)
    case 'zstd':
      return new ZstdCompressor(compression, requireZstd())
    case 'none':
      return new NoCompressor(compression)
  }
}

/**
 * A new stream for every block: one used again after reset() spares 268 KiB of cleared state, but makes
 * bytes that depend on the blocks before (seen with Node 20.20.2: the same layer, a few bytes longer or
 * shorter from run to run), and an image must come out the same each time.
 */
class GzipCompressor implements BlockCompressor {
  readonly compression: Compression
  readonly library = `zlib ${process.versions.zlib}`

  constructor(compression: Compression) {
    this.compression = compression
  }

  compress(block: Uint8Array): Promise<Uint8Array> {
    const options = {
      level: this.compression.level,
      // room for the longest output, so that a block is one trip to the thread pool
      chunkSize: block.length + deflateOverheadBytes,
    }
    return new Promise((resolve, reject) => {
      zlib.deflate(block, options, (error, stored) => {
        if (error) reject(error)
        else resolve(smaller(stored, block))
      })
    })
  }

  compressSync(block: Uint8Array): Uint8Array {
    return smaller(zlib.deflateSync(block, { level: this.compression.level }), block)
  }

  compressMetadata(block: Uint8Array): Uint8Array {
    return smaller(
      zlib.deflateSync(block, { ...metadataWindow, level: this.compression.level }),
      block,
    )
  }

  decompressSync(stored: Uint8Array, maxBytes: number): Uint8Array {
    return decompressBlock('gzip', stored, maxBytes)
  }
}

/** As much as metadata blocks can use: setting the usual 256 KiB of state up takes longer than compressing. */
const metadataWindow = {
  windowBits: 13,
  memLevel: 7,
  chunkSize: metadataBlockBytes + 1024,
} as const

/** More than deflate adds to incompressible blocks of up to 1 MiB. */
const deflateOverheadBytes = 1024

/** What Node 22.15 and later have; the types here are those of Node 20. */
type ZstdOptions = {
  readonly params?: Readonly<Record<number, number>>
  readonly pledgedSrcSize?: number
  readonly maxOutputLength?: number
}
type ZstdModule = {
  readonly zstdCompress: (
    block: Uint8Array,
    options: ZstdOptions,
    callback: (error: Error | null, stored: Buffer) => void,
  ) => void
  readonly zstdCompressSync: (block: Uint8Array, options: ZstdOptions) => Buffer
  readonly zstdDecompressSync: (stored: Uint8Array, options: ZstdOptions) => Buffer
}

/** ZSTD_c_compressionLevel (zstd.h); node:zlib's constant is missing from the types. */
const compressionLevelParameter = 100
/** Frame_Header_Descriptor, Single_Segment_flag (RFC 8878 § 3.1.1.1.1). */
const singleSegmentFlag = 0x20
const descriptorOffset = 4

class ZstdCompressor implements BlockCompressor {
  readonly compression: Compression
  readonly library = `zstd ${process.versions['zstd'] ?? 'unknown'}`
  private readonly zstd: ZstdModule

  constructor(compression: Compression, zstd: ZstdModule) {
    this.compression = compression
    this.zstd = zstd
  }

  compress(block: Uint8Array): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      this.zstd.zstdCompress(block, this.optionsFor(block), (error, stored) => {
        if (error) reject(error)
        else resolve(smaller(singleSegment(stored), block))
      })
    })
  }

  compressSync(block: Uint8Array): Uint8Array {
    const stored = this.zstd.zstdCompressSync(block, this.optionsFor(block))
    return smaller(singleSegment(stored), block)
  }

  compressMetadata(block: Uint8Array): Uint8Array {
    return this.compressSync(block)
  }

  decompressSync(stored: Uint8Array, maxBytes: number): Uint8Array {
    return decompressBlock('zstd', stored, maxBytes)
  }

  /** Without the pledged size the window is megabytes, and the kernel fails to read the block. */
  private optionsFor(block: Uint8Array): ZstdOptions {
    return {
      params: { [compressionLevelParameter]: this.compression.level },
      pledgedSrcSize: block.length,
    }
  }
}

function singleSegment(stored: Buffer): Buffer {
  if (((stored[descriptorOffset] ?? 0) & singleSegmentFlag) !== 0) return stored
  throw new SregistryError('INTERNAL', 'zstd made a frame whose window the kernel would refuse')
}

class NoCompressor implements BlockCompressor {
  readonly compression: Compression
  readonly library = 'none'

  constructor(compression: Compression) {
    this.compression = compression
  }

  compress(block: Uint8Array): Promise<Uint8Array> {
    return Promise.resolve(block)
  }

  compressSync(block: Uint8Array): Uint8Array {
    return block
  }

  compressMetadata(block: Uint8Array): Uint8Array {
    return block
  }

  decompressSync(): Uint8Array {
    throw new SregistryError('IMAGE_INVALID', 'a block is compressed in an image that has none')
  }
}

/**
 * Decompresses a block of any image, also where this Node could not have written it.
 * @throws {SregistryError} IMAGE_INVALID when damaged or longer than maxBytes.
 */
export function decompressBlock(
  kind: 'gzip' | 'zstd',
  stored: Uint8Array,
  maxBytes: number,
): Uint8Array {
  if (kind === 'gzip') {
    return decompressed(() => zlib.inflateSync(stored, { maxOutputLength: maxBytes }))
  }
  const zstd = findZstd()
  if (zstd)
    return decompressed(() => zstd.zstdDecompressSync(stored, { maxOutputLength: maxBytes }))
  return decompressed(() => {
    const { decompress } = createRequire(import.meta.url)('fzstd') as typeof import('fzstd')
    const bytes = decompress(stored)
    if (bytes.length > maxBytes) throw new RangeError(`more than ${maxBytes} bytes`)
    return bytes
  })
}

function decompressed(work: () => Uint8Array): Uint8Array {
  try {
    return work()
  } catch (cause) {
    throw new SregistryError('IMAGE_INVALID', 'a block of the image cannot be decompressed', {
      cause,
    })
  }
}

function smaller(stored: Uint8Array, block: Uint8Array): Uint8Array {
  return stored.length < block.length ? stored : block
}

function findZstd(): ZstdModule | undefined {
  const candidate = zlib as unknown as Partial<ZstdModule>
  return candidate.zstdCompress === undefined ? undefined : (candidate as ZstdModule)
}

function requireZstd(): ZstdModule {
  const zstd = findZstd()
  if (zstd !== undefined) return zstd
  throw new SregistryError('UNSUPPORTED', `Node ${process.versions.node} cannot compress zstd`, {
    hint: 'use Node 22.15 or later, or gzip',
  })
}
