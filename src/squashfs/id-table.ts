import { SregistryError } from '../errors/sregistry-error.ts'
import { idEntryBytes, mostIds } from './format.ts'

/** Users and groups of an image, each once, in the order of their first use (format.adoc "ID Table"). */
export class IdTable {
  private readonly indexes = new Map<number, number>()

  get count(): number {
    return this.indexes.size
  }

  /** @throws {SregistryError} LIMIT_EXCEEDED for the 65,536th distinct id. */
  indexOf(id: number): number {
    const known = this.indexes.get(id)
    if (known !== undefined) return known
    const index = this.indexes.size
    if (index === mostIds) {
      throw new SregistryError('LIMIT_EXCEEDED', `the image has more than ${mostIds} owners`, {
        hint: 'a squashfs image holds at most 65,535 distinct user and group ids: pull with --all-root',
      })
    }
    this.indexes.set(id, index)
    return index
  }

  encode(): Uint8Array {
    const bytes = Buffer.alloc(idEntryBytes * this.indexes.size)
    for (const [id, index] of this.indexes) bytes.writeUInt32LE(id, idEntryBytes * index)
    return bytes
  }
}
