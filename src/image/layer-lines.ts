import { formatDigest } from '../registry/digest.ts'
import type { BuildEvent } from './build-event.ts'
import type { ImageSource } from './image-source.ts'

/** Layers finish in any order; their lines come in the order of the manifest. */
export class LayerLines {
  readonly #forward: (event: BuildEvent) => void
  readonly #order: readonly number[]
  readonly #finished = new Map<number, string>()
  #next = 0

  constructor({ layers }: ImageSource, forward: (event: BuildEvent) => void) {
    this.#forward = forward
    const first = new Map<string, number>()
    for (const [number, layer] of layers.entries()) {
      const key = formatDigest(layer.digest)
      if (!first.has(key)) first.set(key, number)
    }
    this.#order = [...first.values()]
  }

  readonly onEvent = (event: BuildEvent): void => {
    this.#forward(event)
    if (event.type !== 'layer-done' && event.type !== 'layer-reuse') return
    const verb = event.type === 'layer-done' ? 'Exploding' : 'Reusing'
    this.#finished.set(event.layer, `${verb} ${event.label}`)
    for (;;) {
      const text = this.#finished.get(this.#order[this.#next] ?? -1)
      if (text === undefined) return
      this.#next += 1
      this.#forward({ type: 'line', text })
    }
  }
}
