import { damagedImage } from './damaged-image.ts'
import type { StoredDirectory } from './inode-reader.ts'

/**
 * The directories that a walk has entered. A directory has one place in a tree, and listings share no
 * bytes: a walk through an image that breaks this might never end.
 */
export class MetDirectories {
  readonly #references = new Set<number>()
  readonly #mostBytes: number
  #listedBytes = 0

  /** @param mostBytes What all listings together can have. */
  constructor(mostBytes: number) {
    this.#mostBytes = mostBytes
  }

  /** @throws {SregistryError} IMAGE_INVALID when the directory cannot be one more. */
  add({ reference, listing }: Pick<StoredDirectory, 'reference' | 'listing'>): void {
    if (this.#references.has(reference)) throw damagedImage('a directory has more than one place')
    this.#references.add(reference)
    this.#listedBytes += listing.sizeBytes
    if (this.#listedBytes <= this.#mostBytes) return
    throw damagedImage('its directories are longer than their table')
  }
}
