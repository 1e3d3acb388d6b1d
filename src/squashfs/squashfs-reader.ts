/**
 * Reads squashfs 4.0 images of any maker (gzip, zstd where Node has it, uncompressed), without
 * trusting them: every offset is checked, every loop is bounded by bytes that are there.
 */
import { throwIfCancelled } from '../errors/cancelled.ts'
import { type BlockDecompressor, createBlockDecompressor } from './block-decompressor.ts'
import { damagedImage } from './damaged-image.ts'
import { type DirectoryEntry, readListing } from './directory-reader.ts'
import { checkFileSize, FileReader } from './file-reader.ts'
import { fragmentEntryBytes, idEntryBytes, superblockBytes } from './format.ts'
import {
  readInode,
  type StoredDirectory,
  type StoredFile,
  type StoredInode,
} from './inode-reader.ts'
import { LookupTableReader } from './lookup-table-reader.ts'
import { MetDirectories } from './met-directories.ts'
import { MetadataReader } from './metadata-reader.ts'
import type { RandomAccessSource } from './random-access-source.ts'
import type { Superblock } from './superblock.ts'
import { decodeSuperblock } from './superblock-reader.ts'
import { openXattrs, type XattrReader, type Xattrs } from './xattr-reader.ts'

/** An inode and where it was met. */
export type WalkedEntry = {
  /** From the root, latin1, no slash at its begin; empty for the root itself. */
  readonly path: string
  readonly inode: StoredInode
}

export type ReadOptions = {
  /** Refuse files that are larger; no limit by default. */
  readonly maxBytes?: number
  readonly signal?: AbortSignal | undefined
}

/** Longer paths than any tool takes; a hostile image could make them of any length. */
const longestPath = 1_048_576

/**
 * Opens an image. The source stays the caller's, who closes it when nothing is read any more.
 * @throws {SregistryError} IMAGE_INVALID when it is no squashfs 4.0 image or is damaged; UNSUPPORTED
 *   for a compressor that Node does not have.
 */
export async function openSquashfs(source: RandomAccessSource): Promise<SquashfsReader> {
  const superblock = decodeSuperblock(await source.read(0, superblockBytes))
  const decompressor = createBlockDecompressor(superblock.compressor)
  const ids = await readIds(source, decompressor, superblock)
  const { xattrTable: header, bytesUsed: end } = superblock
  const xattrs =
    header === undefined ? undefined : await openXattrs(source, decompressor, { header, end })
  return new SquashfsReader(superblock, { source, decompressor, ids, xattrs })
}

async function readIds(
  source: RandomAccessSource,
  decompressor: BlockDecompressor,
  { idTable: index, idCount: count }: Superblock,
): Promise<readonly number[]> {
  const place = { index, count, entryBytes: idEntryBytes }
  const table = new LookupTableReader(source, decompressor, place)
  const ids: number[] = []
  for (let at = 0; at < count; at++) ids.push((await table.entry(at)).readUInt32LE(0))
  return ids
}

type ReaderParts = {
  readonly source: RandomAccessSource
  readonly decompressor: BlockDecompressor
  readonly ids: readonly number[]
  readonly xattrs: XattrReader | undefined
}

/** An open image. It holds no resources of its own. */
export class SquashfsReader {
  readonly superblock: Superblock
  readonly #parts: ReaderParts
  readonly #inodes: MetadataReader
  readonly #directories: MetadataReader
  readonly #files: FileReader

  /** @internal use `openSquashfs` */
  constructor(superblock: Superblock, parts: ReaderParts) {
    const { source, decompressor } = parts
    const { inodeTable, directoryTable, fragmentTable, exportTable, idTable } = superblock
    const tableAfter = fragmentTable ?? exportTable ?? idTable
    const inodes = { start: inodeTable, end: directoryTable }
    const directories = { start: directoryTable, end: Math.max(tableAfter, directoryTable) }
    this.superblock = superblock
    this.#parts = parts
    this.#inodes = new MetadataReader(source, decompressor, inodes)
    this.#directories = new MetadataReader(source, decompressor, directories)
    this.#files = new FileReader({
      source,
      decompressor,
      blockSize: superblock.blockSize,
      dataEnd: inodeTable,
      inodes: this.#inodes,
      fragments: openFragments(superblock, parts),
    })
  }

  async root(): Promise<StoredDirectory> {
    const root = await this.inode(this.superblock.rootReference)
    if (root.kind !== 'directory') throw damagedImage('its root is no directory')
    return root
  }

  /** The inode that an entry refers to. */
  inode(reference: number): Promise<StoredInode> {
    return readInode(this.#inodes.cursor(reference), this.#parts.ids)
  }

  /** The entries of a directory in byte order. */
  entries({ listing }: StoredDirectory): AsyncGenerator<DirectoryEntry> {
    return readListing(this.#directories.cursor(listing.reference), listing.sizeBytes)
  }

  /**
   * The inode at a path from the root (latin1, slashes at the ends do not matter). Symlinks are not
   * followed. Undefined when there is none.
   */
  async stat(path: string): Promise<StoredInode | undefined> {
    let inode: StoredInode = await this.root()
    for (const name of path.split('/').filter((part) => part !== '')) {
      if (inode.kind !== 'directory') return undefined
      const entry = await this.#find(inode, name)
      if (entry === undefined) return undefined
      inode = await this.#inodeOf(entry)
    }
    return inode
  }

  /**
   * Everything in the image: each directory before what it holds, names in byte order.
   * @throws {SregistryError} IMAGE_INVALID also for directories that hold each other; CANCELLED.
   */
  async *walk({ signal }: { readonly signal?: AbortSignal } = {}): AsyncGenerator<WalkedEntry> {
    const root = await this.root()
    const met = new MetDirectories(this.#directories.mostBytes)
    met.add(root)
    yield { path: '', inode: root }
    const open = [{ prefix: '', entries: this.entries(root) }]
    for (let last = open.at(-1); last !== undefined; last = open.at(-1)) {
      throwIfCancelled(signal, 'reading the image')
      const next = await last.entries.next()
      if (next.done) {
        open.pop()
        continue
      }
      const path = last.prefix + next.value.name
      if (path.length > longestPath) throw damagedImage('it has a path of more than 1 MiB')
      const inode = await this.#inodeOf(next.value)
      if (inode.kind === 'directory') {
        met.add(inode)
        open.push({ prefix: `${path}/`, entries: this.entries(inode) })
      }
      yield { path, inode }
    }
  }

  /**
   * The bytes of a file in order, in pieces of at most a block.
   * @throws {SregistryError} IMAGE_INVALID; LIMIT_EXCEEDED when it is larger than `maxBytes`; CANCELLED.
   */
  async *read(
    file: StoredFile,
    { maxBytes, signal }: ReadOptions = {},
  ): AsyncGenerator<Uint8Array> {
    if (maxBytes !== undefined) checkFileSize(file, maxBytes, 'a file of the image')
    for await (const piece of this.#files.read(file)) {
      throwIfCancelled(signal, 'reading the image')
      yield piece
    }
  }

  /**
   * A small file as a whole. Undefined when there is no file at the path.
   * @param path As for `stat`.
   * @throws {SregistryError} as `read`.
   */
  async readFile(
    path: string,
    options: ReadOptions & { readonly maxBytes: number },
  ): Promise<Uint8Array | undefined> {
    const file = await this.stat(path)
    if (file?.kind !== 'file') return undefined
    checkFileSize(file, options.maxBytes, path)
    const pieces: Uint8Array[] = []
    for await (const piece of this.read(file, options)) pieces.push(piece)
    return Buffer.concat(pieces)
  }

  /** Full names (`user.x`) to values; undefined when there are none. */
  async xattrs({ xattrId }: StoredInode): Promise<Xattrs | undefined> {
    if (xattrId === undefined) return undefined
    if (this.#parts.xattrs === undefined)
      throw damagedImage('an inode has attributes without a table')
    return this.#parts.xattrs.read(xattrId)
  }

  async #find(directory: StoredDirectory, name: string): Promise<DirectoryEntry | undefined> {
    for await (const entry of this.entries(directory)) if (entry.name === name) return entry
    return undefined
  }

  async #inodeOf(entry: DirectoryEntry): Promise<StoredInode> {
    const inode = await this.inode(entry.reference)
    if (inode.kind !== entry.kind || inode.number !== entry.number) {
      throw damagedImage(`${JSON.stringify(entry.name)} is another inode than its directory says`)
    }
    return inode
  }
}

function openFragments(superblock: Superblock, parts: ReaderParts): LookupTableReader | undefined {
  const { fragmentTable: index, fragmentCount: count } = superblock
  if (index === undefined || count === 0) return undefined
  const place = { index, count, entryBytes: fragmentEntryBytes }
  return new LookupTableReader(parts.source, parts.decompressor, place)
}
