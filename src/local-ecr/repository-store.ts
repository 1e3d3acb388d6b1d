/** The repositories, their images and tags: in memory, and one JSON file each under the root. */
import { createHash, randomUUID } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

export type TagMutability = 'MUTABLE' | 'IMMUTABLE'

/** As DescribeImageScanFindings gives it. */
export type ScanFinding = {
  /** `CVE-2024-1234` */
  readonly name: string
  readonly severity: 'CRITICAL' | 'HIGH' | 'MEDIUM' | 'LOW' | 'INFORMATIONAL' | 'UNDEFINED'
  readonly description?: string
  readonly uri?: string
  readonly attributes?: readonly { readonly key: string; readonly value: string }[]
}

export type ImageScan = {
  readonly completedAtMs: number
  readonly findings: readonly ScanFinding[]
}

export type StoredImage = {
  readonly digest: string
  readonly mediaType: string
  readonly artifactMediaType?: string
  /** Sum of what the manifest refers to, compressed. */
  readonly sizeBytes: number
  readonly pushedAtMs: number
  lastPulledAtMs?: number
  /** In the archive storage class: listed when asked for, not to be pulled. */
  isArchived?: boolean
  /** Absent until it was scanned. */
  scan?: ImageScan
  /** Digests of config and layers, or of the children of an index. */
  readonly references: readonly string[]
}

export type Repository = {
  readonly name: string
  readonly createdAtMs: number
  imageTagMutability: TagMutability
  policyText?: string | undefined
  /** In the order of pushing. */
  readonly images: Map<string, StoredImage>
  /** Tag to digest, in the order of pushing. */
  readonly tags: Map<string, string>
  /** Digest to size of the blobs that were pushed to this repository. */
  readonly layers: Map<string, number>
}

/** ECR's grammar of repository names (API model, RepositoryName). */
export function isRepositoryName(name: string): boolean {
  const component = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*'
  const form = new RegExp(`^${component}(?:/${component})*$`)
  return name.length >= 2 && name.length <= 256 && form.test(name)
}

export class RepositoryStore {
  readonly #directory: string
  readonly #repositories = new Map<string, Repository>()
  #saving: Promise<void> = Promise.resolve()

  private constructor(root: string) {
    this.#directory = join(root, 'repositories')
  }

  static async open(root: string): Promise<RepositoryStore> {
    const store = new RepositoryStore(root)
    await mkdir(store.#directory, { recursive: true })
    for (const file of (await readdir(store.#directory)).sort()) {
      if (!file.endsWith('.json')) continue
      const repository = decodeRepository(await readFile(join(store.#directory, file), 'utf8'))
      store.#repositories.set(repository.name, repository)
    }
    return store
  }

  get(name: string): Repository | undefined {
    return this.#repositories.get(name)
  }

  /** All of them, by name. */
  list(): readonly Repository[] {
    return [...this.#repositories.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  async create(
    name: string,
    createdAtMs: number,
    imageTagMutability: TagMutability = 'MUTABLE',
  ): Promise<Repository> {
    const repository: Repository = {
      name,
      createdAtMs,
      imageTagMutability,
      images: new Map(),
      tags: new Map(),
      layers: new Map(),
    }
    this.#repositories.set(name, repository)
    await this.save(repository)
    return repository
  }

  async delete(name: string): Promise<void> {
    this.#repositories.delete(name)
    await this.#inTurn(() => rm(this.#path(name), { force: true }))
  }

  /** Writes the repository as it is now; to be awaited before a push is answered. */
  save(repository: Repository): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#repositories.get(repository.name) !== repository) return
      const path = this.#path(repository.name)
      const temporary = `${path}.${randomUUID()}`
      await writeFile(temporary, encodeRepository(repository))
      await rename(temporary, path)
    })
  }

  /** Waits for what is still being written. */
  async close(): Promise<void> {
    await this.#saving
  }

  #inTurn(write: () => Promise<void>): Promise<void> {
    const done = this.#saving.then(write)
    this.#saving = done.catch(() => undefined) // the caller of this write gets its failure
    return done
  }

  // a name may be longer than a file name: its hash stands for it, the name is inside
  #path(name: string): string {
    return join(this.#directory, `${createHash('sha256').update(name).digest('hex')}.json`)
  }
}

function encodeRepository(repository: Repository): string {
  const { images, tags, layers, ...rest } = repository
  return JSON.stringify({ ...rest, images: [...images], tags: [...tags], layers: [...layers] })
}

function decodeRepository(text: string): Repository {
  const { images, tags, layers, ...rest } = JSON.parse(text)
  return { ...rest, images: new Map(images), tags: new Map(tags), layers: new Map(layers) }
}
