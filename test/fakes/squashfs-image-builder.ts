/**
 * Makes small squashfs images with our own table encoder, the way mksquashfs packs: files below the
 * block size go into fragments, all-zero blocks become holes. Data stays in memory until `write`.
 */
import { open } from 'node:fs/promises'
import * as zlib from 'node:zlib'
import { type Compression, defaultCompression } from '../../src/squashfs/compression.ts'
import type { FragmentBlock, InodeMetadata } from '../../src/squashfs/inode.ts'
import type { MetadataCompressor } from '../../src/squashfs/stored-blocks.ts'
import {
  dataStart,
  type EncodedTables,
  encodeSquashfsTables,
} from '../../src/squashfs/table-encoder.ts'
import {
  type DeviceInode,
  type DirectoryInode,
  type FileContent,
  type FileInode,
  type Inode,
  type PipeInode,
  type SymlinkInode,
  sourceOf,
} from './tree-records.ts'

export type Metadata = Partial<InodeMetadata>

const plain: InodeMetadata = {
  mode: 0o644,
  uid: 0,
  gid: 0,
  mtime: 1_700_000_000,
  xattrs: undefined,
}

export function directory(
  children: Record<string, Inode>,
  metadata: Metadata = {},
): DirectoryInode {
  return directoryOf(Object.entries(children), metadata)
}

export function directoryOf(
  children: Iterable<readonly [string, Inode]>,
  metadata: Metadata = {},
): DirectoryInode {
  return { kind: 'directory', ...plain, mode: 0o755, ...metadata, entries: [...children] }
}

export function symlink(target: string, metadata: Metadata = {}): SymlinkInode {
  return { kind: 'symlink', ...plain, mode: 0o777, ...metadata, target }
}

export function device(
  kind: DeviceInode['kind'],
  [major, minor]: readonly [number, number],
  metadata: Metadata = {},
): DeviceInode {
  return { kind, ...plain, ...metadata, major, minor }
}

export function pipe(kind: PipeInode['kind'], metadata: Metadata = {}): PipeInode {
  return { kind, ...plain, ...metadata }
}

/** zlib and zstd of this Node, as block compressors. */
export function testCompressor(compression: Compression = defaultCompression): MetadataCompressor {
  const compress = {
    gzip: (block: Uint8Array) => zlib.deflateSync(block, { level: compression.level }),
    zstd: (block: Uint8Array) => zstdCompressSync(block),
    none: (block: Uint8Array) => block,
  }[compression.kind]
  return {
    compression,
    compressMetadata: (block) => {
      const compressed = compress(block)
      return compressed.length < block.length ? compressed : block
    },
  }
}

/** Whether this Node can make zstd images: 22.15 and later. */
export const hasZstd: boolean = 'zstdCompressSync' in zlib

function zstdCompressSync(block: Uint8Array): Uint8Array {
  const compress = (zlib as unknown as Record<string, (block: Uint8Array) => Uint8Array>)[
    'zstdCompressSync'
  ]
  if (compress === undefined) throw new Error('this Node has no zstd')
  return compress(block)
}

export type BuilderOptions = {
  readonly blockSize?: number
  readonly compression?: Compression
}

export class SquashfsImageBuilder {
  readonly blockSize: number
  readonly compressor: MetadataCompressor
  readonly fragments: FragmentBlock[] = []
  /** What was packed, for comparing. */
  readonly contents: Map<FileInode, Uint8Array> = new Map()
  readonly #pieces: { readonly position: number; readonly bytes: Uint8Array }[] = []
  #end: number
  #tails: Uint8Array[] = []
  #tailBytes = 0

  constructor({ blockSize = 131_072, compression = defaultCompression }: BuilderOptions = {}) {
    this.blockSize = blockSize
    this.compressor = testCompressor(compression)
    this.#end = dataStart(compression)
  }

  /** Leaves a gap, which is legal between files, so that what follows lies at a high position. */
  skipTo(position: number): void {
    this.#end = position
  }

  /** Packs a file. With `tail: 'block'` even a small file gets a block of its own. */
  file(
    content: Uint8Array | string,
    metadata: Metadata = {},
    { tail = 'fragment' }: { tail?: 'fragment' | 'block' } = {},
  ): FileInode {
    const bytes = typeof content === 'string' ? Buffer.from(content) : content
    const fits = bytes.length > 0 && bytes.length < this.blockSize && tail === 'fragment'
    const start = this.#end
    const fragment = fits ? this.#addTail(bytes) : undefined
    const blocks = fits ? [] : this.#addBlocks(bytes)
    const hasData = blocks.some((word) => word !== 0)
    return this.#remember(bytes, metadata, { start: hasData ? start : 0, blocks, fragment })
  }

  /** Like `mksquashfs -always-use-fragments`: full blocks, and the tail in a fragment. */
  fileWithTail(bytes: Uint8Array, metadata: Metadata = {}): FileInode {
    const fullBytes = bytes.length - (bytes.length % this.blockSize)
    const start = this.#end
    const blocks = this.#addBlocks(bytes.subarray(0, fullBytes))
    const fragment = this.#addTail(bytes.subarray(fullBytes))
    return this.#remember(bytes, metadata, { start, blocks, fragment })
  }

  /** Closes the fragment block that is being filled. */
  closeFragment(): void {
    if (this.#tails.length === 0) return
    const position = this.#end
    this.fragments.push({ position, sizeWord: this.#addBlock(Buffer.concat(this.#tails)) })
    this.#tails = []
    this.#tailBytes = 0
  }

  encode(root: DirectoryInode): EncodedTables & { readonly dataEnd: number } {
    this.closeFragment()
    const tables = encodeSquashfsTables(sourceOf(root), {
      dataEnd: this.#end,
      fragments: this.fragments,
      compressor: this.compressor,
      blockSize: this.blockSize,
      createdSeconds: 1_600_000_000,
      deduplicated: false,
    })
    return { ...tables, dataEnd: this.#end }
  }

  /** @param base Where the image begins in the file, as in a SIF. */
  async write(path: string, root: DirectoryInode, base = 0): Promise<void> {
    const { superblock, tables, dataEnd, paddedBytes } = this.encode(root)
    const file = await open(path, 'w')
    try {
      for (const { position, bytes } of this.#pieces) {
        await file.write(bytes, 0, bytes.length, base + position)
      }
      const table = Buffer.concat(tables)
      await file.write(table, 0, table.length, base + dataEnd)
      await file.write(superblock, 0, superblock.length, base)
      await file.truncate(base + paddedBytes)
    } finally {
      await file.close()
    }
  }

  /** The whole image in memory, for images without large gaps. */
  build(root: DirectoryInode): Buffer {
    const { superblock, tables, dataEnd, paddedBytes } = this.encode(root)
    const image = Buffer.alloc(paddedBytes)
    for (const { position, bytes } of this.#pieces) image.set(bytes, position)
    image.set(Buffer.concat(tables), dataEnd)
    image.set(superblock, 0)
    return image
  }

  #remember(
    bytes: Uint8Array,
    metadata: Metadata,
    place: Omit<FileContent, 'sizeBytes'>,
  ): FileInode {
    const content = { sizeBytes: bytes.length, ...place }
    const inode: FileInode = { kind: 'file', ...plain, ...metadata, content }
    this.contents.set(inode, bytes)
    return inode
  }

  #addTail(bytes: Uint8Array): { index: number; offset: number } {
    if (this.#tailBytes + bytes.length > this.blockSize) this.closeFragment()
    const offset = this.#tailBytes
    this.#tails.push(bytes)
    this.#tailBytes += bytes.length
    return { index: this.fragments.length, offset }
  }

  #addBlocks(bytes: Uint8Array): number[] {
    const words: number[] = []
    for (let at = 0; at < bytes.length; at += this.blockSize) {
      const block = bytes.subarray(at, at + this.blockSize)
      words.push(block.every((byte) => byte === 0) ? 0 : this.#addBlock(block))
    }
    return words
  }

  #addBlock(block: Uint8Array): number {
    const stored = this.compressor.compressMetadata(block)
    this.#pieces.push({ position: this.#end, bytes: stored })
    this.#end += stored.length
    return stored === block ? block.length | 0x100_0000 : stored.length
  }
}
