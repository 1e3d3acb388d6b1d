import { availableParallelism } from 'node:os'

/**
 * A bound on what is done at once: blocks in the thread pool, by all layers together, or layers. First come,
 * first served; a slot is held only while its block or layer is being packed, so no wait lasts for ever.
 */
export class PackingSlots {
  private free: number
  private readonly waiting: (() => void)[] = []

  /** @param count Default, for blocks: two for each core and two for the pool's queue, so that it never runs dry. */
  constructor(count: number = 2 * availableParallelism() + 2) {
    this.free = count
  }

  /** Calls back as soon as a slot is free, at once if one is. Each call is answered by one release(). */
  take(onSlot: () => void): void {
    if (this.free > 0) {
      this.free -= 1
      onSlot()
    } else this.waiting.push(onSlot)
  }

  release(): void {
    const next = this.waiting.shift()
    if (next === undefined) this.free += 1
    else next()
  }
}
