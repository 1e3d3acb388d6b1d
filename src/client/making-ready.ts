/**
 * What a pull makes an image with, made ready while the registry is asked: code that is to be loaded, and threads,
 * which take 40 ms to start.
 */
import { existsSync } from 'node:fs'
import type { ImageThreads } from '../image/image-threads.ts'
import type { PullInput } from './pull-input.ts'
import { likelyPath, usesCache } from './pull-target.ts'

/** What makes an image. */
export type BuildingModules = typeof import('../image/begun-image.ts') &
  typeof import('../image/build-image.ts') &
  typeof import('../image/layer-store.ts') &
  typeof import('../storage/layer-cache.ts') &
  typeof import('../storage/work-directory.ts')

/** Of one pull. Whoever has one ends it. */
export class MakingReady {
  readonly #input: PullInput
  #modules: Promise<BuildingModules> | undefined
  #threads: Promise<ImageThreads | undefined> | undefined
  #hasEnded = false

  constructor(input: PullInput) {
    this.#input = input
  }

  /** Begins before it is known whether there is an image to make, where the repository's last one was large. */
  async begin(): Promise<void> {
    try {
      if (existsSync(likelyPath(this.#input))) return
      if ((await this.threads()) !== undefined) await this.modules()
    } catch {
      // the pull meets it again, and tells
    }
  }

  modules(): Promise<BuildingModules> {
    this.#modules ??= loadBuilding()
    return this.#modules
  }

  /**
   * Threads for a large image. Without them others are started when there is something for them to do, and
   * tell what is in the way.
   */
  threads(): Promise<ImageThreads | undefined> {
    this.#threads ??= this.#start().catch(() => undefined)
    return this.#threads
  }

  /** No thread is started any more. */
  async end(): Promise<void> {
    this.#hasEnded = true
    await this.endThreads()
  }

  /** Those that were used may still be ending: who makes an image again gets others. */
  async endThreads(): Promise<void> {
    const threads = await this.#threads
    this.#threads = undefined
    await threads?.end()
  }

  async #start(): Promise<ImageThreads | undefined> {
    if (!(await this.#isLarge())) return undefined
    const { startImageThreads } = await import('../image/image-threads.ts')
    return this.#hasEnded ? undefined : startImageThreads()
  }

  /** Whether the repository's last image was worth remembering. */
  async #isLarge(): Promise<boolean> {
    const { context, access } = this.#input
    if (!usesCache(this.#input)) return false
    const { layerCache } = await import('../storage/layer-cache.ts')
    return existsSync(layerCache(context.settings.cache()).layoutPath(repositoryOf(access)))
  }
}

/** `HOST/library/busybox` */
export function repositoryOf({ host, reference }: PullInput['access']): string {
  return `${host}/${reference.repository}`
}

async function loadBuilding(): Promise<BuildingModules> {
  const [begun, build, store, cache, work] = await Promise.all([
    import('../image/begun-image.ts'),
    import('../image/build-image.ts'),
    import('../image/layer-store.ts'),
    import('../storage/layer-cache.ts'),
    import('../storage/work-directory.ts'),
  ])
  return { ...begun, ...build, ...store, ...cache, ...work }
}
