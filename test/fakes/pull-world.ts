/** A local ECR with an image in it, and directories of its own for the clients that pull from there. */
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CreateRepositoryCommand } from '@aws-sdk/client-ecr'
import type { Client } from '../../src/client/client.ts'
import { getClient } from '../../src/client/get-client.ts'
import { startTemporaryEcr, type TemporaryEcr } from '../local-ecr/temporary-ecr.ts'
import { digestText, type OciImage, ociManifestType } from './oci-image.ts'

export class PullWorld implements AsyncDisposable {
  readonly local: TemporaryEcr
  readonly directory: string
  readonly #clients: Client[] = []
  #homes = 0

  private constructor(local: TemporaryEcr) {
    this.local = local
    this.directory = mkdtempSync(join(tmpdir(), 'sregistry-world-'))
  }

  static async start(): Promise<PullWorld> {
    return new PullWorld(await startTemporaryEcr())
  }

  /** Directories and settings of a user who has pulled nothing yet. */
  home(more: Readonly<Record<string, string>> = {}): Home {
    this.#homes += 1
    const top = join(this.directory, `home-${this.#homes}`)
    const home = new Home(top, {
      ...this.local.ecr.environment,
      PATH: process.env['PATH'] ?? '',
      HOME: top,
      SREGISTRY_CLIENT_SECRETS: join(top, 'settings.json'),
      SREGISTRY_DATABASE: join(top, 'database'),
      SREGISTRY_STORAGE: join(top, 'storage'),
      SINGULARITY_CACHEDIR: join(top, 'cache'),
      SREGISTRY_TMPDIR: join(top, 'work'),
      ...more,
    })
    return home
  }

  /** A client of this home; the world closes it. */
  async client(home: Home): Promise<Client> {
    const client = await getClient({ env: home.env, client: 'aws' })
    this.#clients.push(client)
    return client
  }

  async push(repository: string, image: OciImage, tag = 'latest'): Promise<void> {
    await this.createRepository(repository)
    for (const { bytes } of image.layers) await this.pushBlob(repository, bytes)
    await this.pushBlob(repository, image.config)
    await this.pushManifest(repository, tag, image.manifest, ociManifestType)
  }

  async createRepository(repositoryName: string): Promise<void> {
    await this.local.client.send(new CreateRepositoryCommand({ repositoryName }))
  }

  async pushBlob(repository: string, body: Uint8Array): Promise<void> {
    const begun = await this.local.fetch(`/v2/${repository}/blobs/uploads/`, { method: 'POST' })
    const location = begun.headers.get('location') ?? ''
    await this.#put(`${location}?digest=${digestText(body)}`, body)
  }

  pushManifest(repository: string, tag: string, body: Uint8Array, type: string): Promise<void> {
    return this.#put(`/v2/${repository}/manifests/${tag}`, body, { 'content-type': type })
  }

  /** How many blobs have been asked for. */
  downloads(): number {
    return this.local.ecr.requests.filter(({ operation }) => operation === 'Download').length
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients) await client.close()
    await this.local.close()
    rmSync(this.directory, { recursive: true, force: true })
  }

  async #put(path: string, bytes: Uint8Array, headers = {}): Promise<void> {
    const response = await this.local.fetch(path, {
      method: 'PUT',
      body: Buffer.from(bytes),
      headers,
    })
    if (response.status !== 201) throw new Error(`${path}: ${response.status}`)
  }
}

/** The directories that a pull may write to. */
export class Home {
  readonly env: Readonly<Record<string, string>>
  readonly path: string

  constructor(path: string, env: Readonly<Record<string, string>>) {
    this.path = path
    this.env = env
    mkdirSync(path, { recursive: true })
  }

  in(...names: readonly string[]): string {
    return join(this.path, ...names)
  }

  /** Images in storage; what a pull that failed must not leave. */
  images(): readonly string[] {
    return this.#names('storage').filter((name) => !name.startsWith('.tmp-'))
  }

  /** Whole packed layers in the cache. */
  layers(): readonly string[] {
    return this.#names('cache/docker').filter((name) => !/^\.tmp-|\.layout$/.test(name))
  }

  /** Files that tell how the last images of repositories were laid out. */
  layouts(): readonly string[] {
    return this.#names('cache/docker').filter((name) => name.endsWith('.layout'))
  }

  /** Everything unfinished, in whichever directory. */
  leftovers(): readonly string[] {
    const unfinished = (directory: string) =>
      this.#names(directory)
        .filter((name) => name.startsWith('.tmp-'))
        .map((name) => join(directory, name))
    return [
      ...['.', 'storage', 'cache', 'cache/docker', 'output'].flatMap(unfinished),
      ...this.#names('work').map((name) => join('work', name)),
    ]
  }

  #names(directory: string): string[] {
    try {
      return readdirSync(this.in(directory)).sort()
    } catch {
      return [] // not made yet
    }
  }
}

/** How much of the files that are being made in a directory is there. */
export function unfinishedBytes(directory: string): number {
  const names = readdirSync(directory).filter((name) => name.startsWith('.tmp-'))
  return names.reduce((sum, name) => sum + statSync(join(directory, name)).size, 0)
}

export function sha256OfFile(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex')
}
