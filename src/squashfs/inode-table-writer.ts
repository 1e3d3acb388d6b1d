/** Writes the inode and the directory table of a tree, which refer to each other, in one pass. */
import { SregistryError } from '../errors/sregistry-error.ts'
import { type DirectoryListing, writeListing } from './directory-writer.ts'
import { inodeType } from './format.ts'
import type { IdTable } from './id-table.ts'
import type { Inode, NumberedLeaves } from './inode.ts'
import {
  type InodeHeader,
  writeDeviceInode,
  writeDirectoryInode,
  writeFileInode,
  writePipeInode,
  writeSymlinkInode,
} from './inode-writer.ts'
import type { LinkedTable } from './linked-tables.ts'
import { type BlockReferences, MetadataWriter } from './metadata-writer.ts'
import { type NumberedDirectory, type NumberedTree, pathOf } from './numbered-tree.ts'
import type { XattrTable } from './xattr-writer.ts'

/** Takes the blocks of both tables in the order in which they become full. */
export type TableBlockSink = (
  table: LinkedTable,
  bytes: Uint8Array,
  references: BlockReferences,
) => void

export type InodeTableOptions = {
  readonly blockSize: number
  readonly storeBlock: TableBlockSink
  readonly ids: IdTable
  readonly xattrs: XattrTable
  /** What the tree has as numbers. */
  readonly leaves: NumberedLeaves | undefined
}

/**
 * For each directory, subdirectories first: the inodes of its entries, then its listing, which holds
 * their references. The root's inode is the last. A step is one directory.
 * @returns the reference of the root's inode, its block by number.
 */
export function writeInodeTables(
  tree: NumberedTree,
  options: InodeTableOptions,
): Generator<void, number> {
  return new InodeTableWriter(tree, options).write()
}

const notWritten = -1

class InodeTableWriter {
  private readonly tree: NumberedTree
  private readonly options: InodeTableOptions
  private readonly inodes: MetadataWriter
  private readonly directories: MetadataWriter
  /** Of each inode, with its block by number; `notWritten` until it is in the table. */
  private readonly references: Float64Array
  private readonly types: Uint8Array
  /** Listings whose directory's inode is still to be written, with the number of its parent. */
  private readonly listings = new Map<number, { listing: DirectoryListing; parentNumber: number }>()

  constructor(tree: NumberedTree, options: InodeTableOptions) {
    this.tree = tree
    this.options = options
    const writer = (table: LinkedTable) =>
      new MetadataWriter((bytes, references) => options.storeBlock(table, bytes, references))
    this.inodes = writer('inodes')
    this.directories = writer('directories')
    this.references = new Float64Array(tree.inodes.length).fill(notWritten)
    this.types = new Uint8Array(tree.inodes.length)
  }

  *write(): Generator<void, number> {
    for (const directory of this.tree.directories) {
      this.writeEntries(directory)
      yield
    }
    const rootReference = this.writeInode(0)
    this.directories.finish()
    this.inodes.finish()
    return rootReference
  }

  private writeEntries(directory: NumberedDirectory): void {
    const { names, children, index, parent } = directory
    for (let entry = 0; entry < children.length; entry++) {
      const child = children[entry] ?? 0
      if (this.references[child] !== notWritten) continue
      try {
        this.references[child] = this.writeInode(child)
      } catch (error) {
        throw withPath(error, pathOf(directory, names[entry] ?? ''))
      }
    }
    const listing = writeListing(this.directories, {
      names,
      children,
      references: this.references,
      numbers: this.tree.numbers,
      types: this.types,
    })
    const { numbers, inodes } = this.tree
    const parentNumber = parent === undefined ? inodes.length + 1 : (numbers[parent.index] ?? 0)
    this.listings.set(index, { listing, parentNumber })
  }

  /** @returns its reference */
  private writeInode(index: number): number {
    const { reference } = this.inodes
    const inode = this.inodeOf(index)
    const header = this.headerOf(inode, index)
    this.types[index] = inodeType[inode.kind]
    switch (inode.kind) {
      case 'directory':
        this.writeDirectory(index, header)
        break
      case 'file':
        writeFileInode(this.inodes, header, inode.content, this.options.blockSize)
        break
      case 'symlink':
        writeSymlinkInode(this.inodes, header, inode)
        break
      case 'char-device':
      case 'block-device':
        writeDeviceInode(this.inodes, header, inode)
        break
      default:
        writePipeInode(this.inodes, header, inode)
    }
    return reference
  }

  private inodeOf(index: number): Inode {
    const record = this.tree.inodes[index]
    const inode = typeof record === 'number' ? this.options.leaves?.inode(record) : record
    if (inode === undefined) throw new SregistryError('INTERNAL', 'an inode that is nowhere')
    return inode
  }

  private writeDirectory(index: number, header: InodeHeader): void {
    const place = this.listings.get(index)
    if (place === undefined) throw new SregistryError('INTERNAL', 'a directory before its listing')
    this.listings.delete(index)
    writeDirectoryInode(this.inodes, header, place.listing, place.parentNumber)
  }

  private headerOf(inode: Inode, index: number): InodeHeader {
    const { ids, xattrs } = this.options
    return {
      mode: inode.mode,
      uidIndex: ids.indexOf(inode.uid),
      gidIndex: ids.indexOf(inode.gid),
      mtime: inode.mtime,
      number: this.tree.numbers[index] ?? 0,
      linkCount: this.tree.linkCounts[index] ?? 0,
      xattrId: xattrs.idOf(inode.xattrs),
    }
  }
}

/** The same error, telling which entry it is about. */
function withPath(error: unknown, path: string): unknown {
  if (!(error instanceof SregistryError)) return error
  const { code, message, hint, cause } = error
  const options = hint === undefined ? { cause } : { hint, cause }
  return new SregistryError(code, `${path}: ${message}`, options)
}
