import { stat } from 'node:fs/promises'
import { countGarbage } from '../buffer-garbage.ts'
import type { PackedLayer } from '../packed-layer.ts'
import { readPackedLayer } from '../packed-layer-reader.ts'
import { type Ownership, setOwnership } from '../tree/ownership.ts'

/**
 * Indexes of packed layers, each read once: a path with another file behind it is read again, and one that
 * could not be read too, since the number of a file that is gone is given to another.
 */
export class LayerIndexes {
  readonly #known = new Map<
    string,
    { readonly ino: number; readonly layer: Promise<PackedLayer> }
  >()

  readonly #ownership: Ownership

  /** @param ownership What the entries are to say of themselves. */
  constructor(ownership: Ownership) {
    this.#ownership = ownership
  }

  /** @throws as `readPackedLayer`. */
  async read(path: string): Promise<PackedLayer> {
    const { ino } = await stat(path)
    const known = this.#known.get(path)
    if (known?.ino === ino) return known.layer
    const layer = this.#readAs(path)
    this.#known.set(path, { ino, layer })
    layer.catch(() => {
      if (this.#known.get(path)?.layer === layer) this.#known.delete(path)
    })
    return layer
  }

  async #readAs(path: string): Promise<PackedLayer> {
    const layer = await readPackedLayer(path)
    // the index as it was read, which all of this has been copied from
    countGarbage(layer.entries.columns.text.length)
    setOwnership(layer.entries, this.#ownership)
    return layer
  }
}
