/** The inode and the directory table of a tree, which refer to each other: encoded by the module of assembly/. */
import { SregistryError } from '../errors/sregistry-error.ts'
import { longestName, longestTarget, referenceBase } from './format.ts'
import type { IdTable } from './id-table.ts'
import type { BlockReferences, LinkedTable } from './linked-tables.ts'
import { instantiateTables, refusals, type TablesExports } from './tables-module.ts'
import { placeTree } from './tree-memory.ts'
import type { TreeSource } from './tree-source.ts'
import type { XattrTable } from './xattr-writer.ts'

/** Takes the blocks of both tables in the order in which they become full, and must copy the bytes. */
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
}

export type WrittenInodes = {
  readonly inodeCount: number
  /** Of the root's inode, its block by number. */
  readonly rootReference: number
}

/** So many that a step takes a part of a millisecond. */
const directoriesOfStep = 100

/**
 * Encodes in steps, between which others may have their turn. The inodes of one directory get neighbouring numbers,
 * which keeps the 16-bit differences in its listing small; the root has the last.
 * @throws {SregistryError} LIMIT_EXCEEDED for what the format cannot hold; INTERNAL for a tree that contradicts
 *   itself.
 */
export function* writeInodeTables(
  source: TreeSource,
  options: InodeTableOptions,
): Generator<void, WrittenInodes> {
  const writer = new InodeTables(source, options)
  while (!writer.number()) yield
  while (!writer.write()) yield
  return writer.written()
}

class InodeTables {
  private readonly tables: TablesExports
  private readonly source: TreeSource
  private readonly options: InodeTableOptions
  private readonly xattrSets: ReturnType<typeof placeTree>

  constructor(source: TreeSource, options: InodeTableOptions) {
    this.source = source
    this.options = options
    this.tables = instantiateTables({
      storeBlock: (...block) => this.storeBlock(...block),
      indexOfId: (id) => this.located(() => options.ids.indexOf(id >>> 0)),
      idOfXattrs: (set) => this.located(() => options.xattrs.idOf(this.xattrSets[set >>> 0])),
      refuse: (reason, first, second) => this.refuse(reason, first, second),
    })
    this.xattrSets = placeTree(source, this.tables)
    this.tables.begin(options.blockSize)
  }

  number(): boolean {
    return this.tables.number(directoriesOfStep) !== 0
  }

  write(): boolean {
    return this.tables.write(directoriesOfStep) !== 0
  }

  written(): WrittenInodes {
    const { inodeCount, rootBlock, rootOffset } = this.tables
    return {
      inodeCount: inodeCount.value >>> 0,
      rootReference: (rootBlock() >>> 0) * referenceBase + rootOffset(),
    }
  }

  private storeBlock(
    table: number,
    address: number,
    sizeBytes: number,
    references: number,
    count: number,
  ): void {
    const { buffer } = this.tables.memory
    this.options.storeBlock(
      table === 0 ? 'inodes' : 'directories',
      new Uint8Array(buffer, address >>> 0, sizeBytes),
      new Uint32Array(buffer, references >>> 0, 2 * count).slice(),
    )
  }

  /** A failure that is about the inode which is being written. */
  private located<T>(work: () => T): T {
    try {
      return work()
    } catch (error) {
      throw withPath(error, this.pathOfLast())
    }
  }

  private refuse(reason: number, first: number, second: number): never {
    const path = this.pathOfLast() ?? '/'
    const limit = (message: string, hint: string) =>
      new SregistryError('LIMIT_EXCEEDED', message, { hint })
    const internal = (message: string) => new SregistryError('INTERNAL', message)
    switch (refusals[reason]) {
      case 'long-name':
        throw limit(
          `the name of ${this.pathOfLast(80)}… has ${first} bytes`,
          `file systems take names of at most ${longestName} bytes; shorten it in the image`,
        )
      case 'symlink-target':
        throw limit(
          `${path}: a symlink's target has ${first} bytes`,
          `squashfs takes 1 to ${longestTarget} bytes; remove the symlink from the image`,
        )
      case 'device-number':
        throw limit(
          `${path}: a device has the number ${first}:${second}`,
          'squashfs takes numbers up to 4095:1048575; remove the device from the image',
        )
      case 'content': {
        const blocks = second < 0 ? `${-1 - second} blocks and a fragment` : `${second} blocks`
        throw internal(`${path}: a file of ${first} bytes has ${blocks}`)
      }
      case 'bad-name':
        throw internal(`${JSON.stringify(path)} is no name that a directory can hold`)
      default:
        throw internal(`${path}: a directory before its listing`)
    }
  }

  /** The entry that is looked at, or no more than so many bytes of its name; undefined when it is the root. */
  private pathOfLast(mostNameBytes?: number): string | undefined {
    const { lastDirectory, lastChild, nameStart, nameLength, memory } = this.tables
    const { list } = this.source.directories
    let number = lastDirectory.value >>> 0
    if (number >= list.length) return undefined
    const child = lastChild.value
    const bytes = Buffer.from(memory.buffer, nameStart(child) >>> 0, nameLength(child))
    const names = [bytes.toString('latin1', 0, mostNameBytes)]
    for (let one = list[number]; number > 0; one = list[number]) {
      names.push(one?.name ?? '')
      number = one?.parent ?? 0
    }
    return `/${Buffer.from(names.reverse().join('/'), 'latin1').toString()}`
  }
}

/** The same error, telling which entry it is about. */
function withPath(error: unknown, path: string | undefined): unknown {
  if (!(error instanceof SregistryError) || path === undefined) return error
  const { code, message, hint, cause } = error
  const options = hint === undefined ? { cause } : { hint, cause }
  return new SregistryError(code, `${path}: ${message}`, options)
}
