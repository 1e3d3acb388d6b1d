import { availableParallelism } from 'node:os'

/**
 * The bound on blocks that are being compressed, shared by all layers that pack at once. First come,
 * first served; a slot is held only while its block is in the thread pool, so no wait lasts for ever.
 */
export class PackingSlots {
  private free: number
  private readonly waiting: (() => void)[] = []

  /** @param count Default: two for each core and two for the pool's queue, so that it never runs dry. */
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
