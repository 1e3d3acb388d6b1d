/**
 * What a new tag costs when all but a small layer of it is there: the pull, the small layer alone, and
 * copies of the image without and with fsync, one in turn with the other; medians.
 */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { writeChangedLayers } from './changed-layers.js'
import type { LoopbackRegistry } from './loopback-registry.js'
import { type Cost, measure, middleOf } from './measured-command.js'

export type NewTag = {
  readonly pull: Cost
  /** A cold pull of an image that is made of the changed layer alone. */
  readonly own: Cost
  readonly copy: Cost
  /** Our images are on the disk before they have their name; what `cp` wrote is not. */
  readonly syncedCopy: Cost
}

export type NewTagOptions = {
  readonly work: string
  /** The image of the tag before, in the storage of `home`. */
  readonly image: string
  readonly home: string
  readonly pullCommand: (host: string, tag: string, repository?: string) => readonly string[]
}

const rounds = 5

export function measureNewTag(
  layout: string,
  registry: LoopbackRegistry,
  { work, image, home, pullCommand }: NewTagOptions,
): NewTag {
  const changed = join(work, 'changed')
  writeChangedLayers(layout, { tag: 'next', than: 'latest', target: changed })
  registry.push(changed, 'next', 'bench/changed')
  const empty = join(work, 'empty-home')
  const target = join(work, 'copy.simg')
  const before = new HomeState(home)
  const costs = { pull: [], own: [], copy: [], syncedCopy: [] } as Record<keyof NewTag, Cost[]>
  for (let round = 0; round < rounds; round += 1) {
    costs.copy.push(measure(['cp', image, target]))
    rmSync(target)
    costs.syncedCopy.push(measure(['sh', '-c', `cp ${image} ${target} && sync ${target}`]))
    rmSync(target)
    costs.pull.push(measure(pullCommand(registry.host, 'next'), { env: environment(home) }))
    before.restore()
    const own = pullCommand(registry.host, 'next', 'bench/changed')
    costs.own.push(measure(own, { env: environment(empty) }))
    rmSync(empty, { recursive: true, force: true })
  }
  return {
    pull: middleOf(costs.pull),
    own: middleOf(costs.own),
    copy: middleOf(costs.copy),
    syncedCopy: middleOf(costs.syncedCopy),
  }
}

function environment(home: string): Record<string, string> {
  return { HOME: home, SREGISTRY_CLIENT: 'docker' }
}

/** The files below a home, so that a pull into it can be undone and measured again. */
class HomeState {
  readonly #root: string
  readonly #files: ReadonlySet<string>
  /** What a pull changes: the database, and what is remembered of the last image. */
  readonly #changed: ReadonlyMap<string, Buffer>

  constructor(home: string) {
    this.#root = join(home, '.singularity')
    const files = this.#list()
    this.#files = new Set(files)
    const changed = files.filter((file) => /sregistry\.db$|\.layout$/.test(file))
    this.#changed = new Map(changed.map((file) => [file, readFileSync(join(this.#root, file))]))
  }

  restore(): void {
    for (const file of this.#list()) {
      if (!this.#files.has(file)) rmSync(join(this.#root, file))
    }
    for (const [file, bytes] of this.#changed) writeFileSync(join(this.#root, file), bytes)
  }

  #list(): string[] {
    const entries = readdirSync(this.#root, { recursive: true, withFileTypes: true })
    const files = entries.filter((entry) => entry.isFile())
    return files.map((entry) => join(entry.parentPath, entry.name).slice(this.#root.length + 1))
  }
}
