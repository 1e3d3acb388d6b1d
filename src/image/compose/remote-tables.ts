/**
 * The tables of an image that a thread composes are compressed by the main thread, which has nothing else to do
 * then: it takes a third of what writing them takes. Nobody waits for it but at the end.
 */
import type { BlockReferences, LinkedTable, StoredTables } from '../../squashfs/linked-tables.ts'
import type { TableStore } from './composer.ts'

/** A block of one of the tables, with what is to be put in it. */
export type TableBlock = {
  readonly table: LinkedTable
  readonly bytes: Uint8Array
  readonly references: BlockReferences
}

/** Blocks in the order in which they became full; the root's reference ends them. */
export type TableBlocks = {
  readonly blocks: readonly TableBlock[]
  readonly rootReference: number | undefined
}

/** So many that messages don't count, so few that the other thread is not far behind. */
const blocksOfMessage = 8

/** The composing thread's end. */
export class RemoteTables implements TableStore {
  readonly #send: (blocks: TableBlocks) => void
  readonly #answer: Promise<StoredTables>
  #blocks: TableBlock[] = []

  /** @param answer What comes back when the root's reference has been sent. */
  constructor(send: (blocks: TableBlocks) => void, answer: Promise<StoredTables>) {
    this.#send = send
    this.#answer = answer
  }

  store(table: LinkedTable, bytes: Uint8Array, references: BlockReferences): void {
    this.#blocks.push({ table, bytes: Uint8Array.from(bytes), references })
    if (this.#blocks.length === blocksOfMessage) this.#flush(undefined)
  }

  finish(rootReference: number): Promise<StoredTables> {
    this.#flush(rootReference)
    return this.#answer
  }

  #flush(rootReference: number | undefined): void {
    this.#send({ blocks: this.#blocks, rootReference })
    this.#blocks = []
  }
}
