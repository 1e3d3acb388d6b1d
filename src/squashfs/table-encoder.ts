/** Encodes everything in a squashfs image that is not data: the superblock and the tables. */
import { SregistryError } from '../errors/sregistry-error.ts'
import type { Compression } from './compression.ts'
import { encodeCompressorOptions } from './compressor-options.ts'
import { compressorIds, flag, fragmentEntryBytes, imagePadding, superblockBytes } from './format.ts'
import { IdTable } from './id-table.ts'
import type { FragmentBlock } from './inode.ts'
import { type TableBlockSink, type WrittenInodes, writeInodeTables } from './inode-tables.ts'
import { LinkedTables, type StoredTables } from './linked-tables.ts'
import { encodeLookupTable, type LookupTable } from './lookup-table-writer.ts'
import type { MetadataCompressor } from './stored-blocks.ts'
import { encodeSuperblock } from './superblock-writer.ts'
import type { TreeSource } from './tree-source.ts'
import { XattrTable } from './xattr-writer.ts'

export type TreeOptions = {
  readonly compressor: MetadataCompressor
  /** A power of two, 4096 to 1048576. */
  readonly blockSize: number
}

export type TableOptions = {
  /** Where the tables start: the end of the data, at least `dataStart(compression)`. */
  readonly dataEnd: number
  /** Every one of them must be used by a file: unsquashfs refuses more fragments than inodes. */
  readonly fragments: readonly FragmentBlock[]
  /** The file system's own time. */
  readonly createdSeconds: number
  /** Whether equal contents are stored once; readers only show it. */
  readonly deduplicated: boolean
}

export type EncodedTables = {
  /** To be written at 0: the superblock, and the compressor options where there are any. `dataStart` bytes. */
  readonly superblock: Uint8Array
  /** To be written at `dataEnd`, one after the other. */
  readonly tables: readonly Uint8Array[]
  /** End of the last table. */
  readonly bytesUsed: number
  /** What the file must be filled up to with zeros, so that the kernel can mount it. */
  readonly paddedBytes: number
}

/**
 * Encodes the tables of an image whose data is already in its place. The same tree gives the same
 * bytes: names are sorted by bytes, numbers and ids are given in one walk.
 * @throws {SregistryError} LIMIT_EXCEEDED for what the format cannot hold (more than 65,535 owners,
 *   names over 255 bytes, targets over 4095, …); INTERNAL for a tree that contradicts itself.
 * @see FORMATS § 1; format.adoc; mksquashfs.c write_filesystem_tables
 */
export function encodeSquashfsTables(
  source: TreeSource,
  options: TreeOptions & TableOptions,
): EncodedTables {
  const linked = new LinkedTables(options.compressor)
  const steps = encodeTree(source, {
    ...options,
    storeBlock: (table, bytes, references) => linked.store(table, bytes, references),
  })
  for (;;) {
    const step = steps.next()
    if (!step.done) continue
    return encodeTables(step.value, linked.finish(step.value.rootReference), options)
  }
}

/** What is known of a tree when the blocks of its two tables have been given away. */
export type EncodedTree = WrittenInodes & {
  readonly ids: IdTable
  readonly xattrs: XattrTable
  readonly options: TreeOptions
}

/**
 * The first and larger half of `encodeSquashfsTables`, in steps, so that whoever drives it can let other work
 * have its turn.
 */
export function* encodeTree(
  source: TreeSource,
  options: TreeOptions & { readonly storeBlock: TableBlockSink },
): Generator<void, EncodedTree> {
  const { compressor, blockSize, storeBlock } = options
  const ids = new IdTable()
  const xattrs = new XattrTable(compressor)
  const written = yield* writeInodeTables(source, { blockSize, storeBlock, ids, xattrs })
  return { ...written, ids, xattrs, options }
}

/** The second half of `encodeSquashfsTables`. */
export function encodeTables(
  tree: EncodedTree,
  stored: StoredTables,
  options: TableOptions,
): EncodedTables {
  const { inodeCount, ids } = tree
  const { compressor, blockSize } = tree.options
  const { fragments } = options
  if (fragments.length > inodeCount) {
    throw new SregistryError('INTERNAL', `${fragments.length} fragments, more than inodes`)
  }
  const layout = new Layout(options.dataEnd)
  const inodeTable = layout.add(stored.inodeTable)
  const directoryTable = layout.add(stored.directoryTable)
  const fragmentTable = layout.addLookupTable(encodeFragments(fragments), compressor)
  const idTable = layout.addLookupTable(ids.encode(), compressor)
  const xattrTable = layout.addXattrs(tree.xattrs)
  const superblock = encodeSuperblock({
    inodeCount,
    createdSeconds: options.createdSeconds,
    blockSize,
    fragmentCount: fragments.length,
    compressor: compressorIdOf(compressor.compression),
    flags: flagsOf(compressor.compression, options, xattrTable !== undefined),
    idCount: ids.count,
    rootReference: stored.rootReference,
    bytesUsed: layout.end,
    idTable,
    xattrTable,
    inodeTable,
    directoryTable,
    fragmentTable: fragments.length > 0 ? fragmentTable : undefined,
    // only NFS re-export of a mounted image wants an export table
    exportTable: undefined,
  })
  return {
    superblock: Buffer.concat([superblock, encodeCompressorOptions(compressor.compression)]),
    tables: layout.parts,
    bytesUsed: layout.end,
    paddedBytes: Math.ceil(layout.end / imagePadding) * imagePadding,
  }
}

/** Where an image's data begins: after the superblock and its compressor options. */
export function dataStart(compression: Compression): number {
  return superblockBytes + encodeCompressorOptions(compression).length
}

/** Tables one after the other: readers find the end of each by the begin of the next. */
class Layout {
  readonly parts: Uint8Array[] = []
  end: number

  constructor(start: number) {
    this.end = start
  }

  /** @returns the position of the part */
  add(part: Uint8Array): number {
    const position = this.end
    this.parts.push(part)
    this.end += part.length
    return position
  }

  /** @returns the position of the index */
  addLookupTable(entries: Uint8Array, compressor: MetadataCompressor): number {
    const { blocks, index }: LookupTable = encodeLookupTable(entries, this.end, compressor)
    this.add(blocks)
    return this.add(index)
  }

  /** @returns the position of the header */
  addXattrs(xattrs: XattrTable): number | undefined {
    const table = xattrs.encode(this.end)
    for (const part of table?.parts ?? []) this.add(part)
    return table?.headerPosition
  }
}

function encodeFragments(fragments: readonly FragmentBlock[]): Uint8Array {
  const bytes = Buffer.alloc(fragmentEntryBytes * fragments.length)
  for (const [index, { position, sizeWord }] of fragments.entries()) {
    const at = bytes.writeBigUInt64LE(BigInt(position), fragmentEntryBytes * index)
    bytes.writeUInt32LE(sizeWord, at)
  }
  return bytes
}

/** Images without compression are gzip images in which every block happens to be raw. */
function compressorIdOf({ kind }: Compression): number {
  return compressorIds[kind === 'none' ? 'gzip' : kind]
}

function flagsOf(compression: Compression, options: TableOptions, hasXattrs: boolean): number {
  const raw = flag.inodesRaw | flag.dataRaw | flag.fragmentsRaw | flag.xattrsRaw | flag.idsRaw
  return (
    (compression.kind === 'none' ? raw : 0) |
    (options.fragments.length === 0 ? flag.noFragments : 0) |
    (options.deduplicated ? flag.duplicatesRemoved : 0) |
    (hasXattrs ? 0 : flag.noXattrs) |
    (encodeCompressorOptions(compression).length > 0 ? flag.compressorOptions : 0)
  )
}
