/**
 * The inode and the directory table, as they are stored. Each says where blocks of the other lie, which
 * depends on how well the blocks before them compress: whoever writes the tables refers to blocks by number,
 * and need not wait for their compression.
 */
import { metadataBlockBytes } from './format.ts'
import { type MetadataCompressor, StoredBlocks } from './stored-blocks.ts'

export type LinkedTable = 'inodes' | 'directories'

/**
 * Places in a block of u32s that are to hold where a block of the other table is stored, which is not known before
 * that is: position and number of the block, one pair after the other. The last bytes of the last place may
 * lie in the next block.
 */
export type BlockReferences = Uint32Array

export type StoredTables = {
  readonly inodeTable: Uint8Array
  readonly directoryTable: Uint8Array
  readonly rootReference: number
}

const nothing = new Uint8Array()

/**
 * Takes the blocks of both tables in the order in which they became full: what a block refers to is then
 * stored, or the next to be.
 */
export class LinkedTables {
  readonly #tables: Readonly<Record<LinkedTable, StoredBlocks>>
  /** Bytes of references that the next block of a table begins with. */
  readonly #rests: Record<LinkedTable, Uint8Array> = {
    inodes: nothing,
    directories: nothing,
  }

  constructor(compressor: MetadataCompressor) {
    const table = () => new StoredBlocks(compressor)
    this.#tables = { inodes: table(), directories: table() }
  }

  /** @param bytes At most 8 KiB, in which the references are put. */
  store(table: LinkedTable, bytes: Uint8Array, references: BlockReferences): void {
    const other = this.#tables[table === 'inodes' ? 'directories' : 'inodes']
    bytes.set(this.#rests[table])
    this.#rests[table] = nothing
    const start = Buffer.alloc(4)
    for (let pair = 0; pair < references.length; pair += 2) {
      const at = references[pair] ?? 0
      start.writeUInt32LE(other.startOf(references[pair + 1] ?? 0))
      const room = Math.min(4, metadataBlockBytes - at)
      bytes.set(start.subarray(0, room), at)
      if (room < 4) this.#rests[table] = start.subarray(room)
    }
    this.#tables[table].store(bytes)
  }

  /** @param rootReference Of the root's inode, its block by number. */
  finish(rootReference: number): StoredTables {
    return {
      inodeTable: this.#tables.inodes.concat(),
      directoryTable: this.#tables.directories.concat(),
      rootReference: this.#tables.inodes.resolve(rootReference),
    }
  }
}
