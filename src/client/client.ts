/**
 * What users hold: one backend, the local images, and the calls that join them. Every backend has the
 * same shape; what one cannot offer throws UNSUPPORTED and says what to use instead.
 */
import { SregistryError } from '../errors/sregistry-error.ts'
import { formatDigest } from '../registry/digest.ts'
import type { ImageConfig } from '../registry/image-config.ts'
import { parsePlatform } from '../registry/platform.ts'
import { parseReference, type Reference, type ReferenceScheme } from '../registry/reference.ts'
import type { ResolvedImage } from '../registry/registry-client.ts'
import type { ListedSetting } from '../settings/settings.ts'
import type {
  BrowseOptions,
  CallOptions,
  DoctorOptions,
  ImageOptions,
  PolicyOptions,
  PullOptions,
  TokenOptions,
} from './call-options.ts'
import type { ClientContext } from './client-context.ts'
import { Container } from './container.ts'
import type { DoctorRun } from './doctor-run.ts'
import type { ImageInspection } from './image-inspection.ts'
import type { LabelCount, LocalImages } from './local-images.ts'
import { pullImage } from './pull.ts'
import type { RegistryAccess } from './registry-access.ts'
import type {
  Description,
  Identity,
  LayerSummary,
  RemoteImage,
  RepositorySummary,
  TokenFacts,
} from './registry-facts.ts'
import { RemoteList } from './remote-list.ts'

/** Settings of `use`: names of the environment, or the short forms of the backend. */
export type UseSettings = Readonly<Record<string, string | undefined>>

export abstract class Client {
  abstract readonly name: ReferenceScheme
  protected readonly context: ClientContext
  #opened: Promise<LocalImages> | undefined
  /** The client of another scheme with the same settings; set by whoever makes clients. */
  sibling: ((name: ReferenceScheme) => Promise<Client>) | undefined

  constructor(context: ClientContext) {
    this.context = context
  }

  /** A region or a registry host, for the prompt; known without asking anyone. */
  abstract get place(): string | undefined

  /** The way to the registry that a reference names, its registry spelt out. */
  protected abstract access(reference: Reference, options: CallOptions): Promise<RegistryAccess>

  /** The same backend with other settings; nothing of this one changes. */
  abstract use(settings: UseSettings): Client

  /** URI of the catalogue; undefined when it is disabled. */
  get database(): string | undefined {
    return this.context.catalog.uri
  }

  /** Every setting with its value and source; secrets masked. */
  get settings(): readonly ListedSetting[] {
    return this.context.settings.list()
  }

  /** Makes images of what references name; for an array they come one after the other. */
  pull(reference: string, options?: PullOptions): Promise<Container>
  pull(references: readonly string[], options?: PullOptions): Promise<Container[]>
  async pull(
    wanted: string | readonly string[],
    options: PullOptions = {},
  ): Promise<Container | Container[]> {
    if (typeof wanted === 'string') return this.#pullOne(wanted, options)
    if (options.name !== undefined && wanted.length > 1) {
      throw new SregistryError('USAGE', 'one name cannot be given to several images')
    }
    const images: Container[] = []
    for (const reference of wanted) images.push(await this.#pullOne(reference, options))
    return images
  }

  /** The manifest of the platform's image, as the registry has it. */
  async manifest(reference: string, options: ImageOptions = {}): Promise<unknown> {
    const { manifestBytes } = await this.#resolve(reference, options)
    return JSON.parse(Buffer.from(manifestBytes).toString())
  }

  async config(reference: string, options: ImageOptions = {}): Promise<ImageConfig> {
    return (await this.#resolve(reference, options)).config
  }

  async layers(reference: string, options: ImageOptions = {}): Promise<LayerSummary[]> {
    const { layers } = await this.#resolve(reference, options)
    return layers.map(({ digest, mediaType, sizeBytes }) => ({
      digest: formatDigest(digest),
      mediaType,
      size: sizeBytes,
    }))
  }

  /** Digest of the platform's manifest that a reference means now. */
  async digest(reference: string, options: ImageOptions = {}): Promise<string> {
    const access = await this.#accessOf(reference, options)
    const located = await access.client.locate(access.reference, resolveOptions(options))
    return formatDigest(located.manifestDigest)
  }

  tags(repository: string, options: BrowseOptions = {}): RemoteList<string> {
    return new RemoteList(() => this.#tags(repository, options))
  }

  /** Whether the registry answers and takes the credentials. */
  async ping(options: CallOptions = {}): Promise<{ readonly host: string; readonly ok: true }> {
    const access = await this.access({ repository: 'ping' }, options)
    await access.client.ping(options)
    return { host: access.host, ok: true }
  }

  /** Repositories whose name contains the text, or fits it when it holds `*` or `?`. */
  repositories(_glob?: string, _options: BrowseOptions = {}): RemoteList<RepositorySummary> {
    throw this.unsupported('list repositories', 'name a repository: client.tags(NAME)')
  }

  /** All that the registry knows of a repository, or of an image when a tag or digest is given. */
  describe(_what: string, _options: BrowseOptions = {}): Promise<Description> {
    throw this.unsupported(
      'describe images',
      'client.manifest(REFERENCE) and client.config(REFERENCE)',
    )
  }

  /** Remote images by a part of `repository:tag`, or a pattern with `*` and `?`. */
  search(_query?: string, _options: BrowseOptions = {}): RemoteList<RemoteImage> {
    throw this.unsupported('search', 'name a repository: client.tags(NAME)')
  }

  /** Makes a repository; one that is there already is no failure. */
  createRepository(_name: string, _options: BrowseOptions = {}): Promise<RepositorySummary> {
    throw this.unsupported('create repositories', 'the registry’s own tools')
  }

  /** Whose credentials are used, where they come from and until when. */
  whoami(_options: CallOptions = {}): Promise<Identity> {
    throw this.unsupported('tell who you are', 'client.ping() tells whether the login is taken')
  }

  /** Facts of the registry's login; with `raw: true` its password. */
  token(options: TokenOptions & { readonly raw: true }): Promise<string>
  token(options?: TokenOptions): Promise<TokenFacts | string>
  token(_options: TokenOptions = {}): Promise<TokenFacts | string> {
    throw this.unsupported('give tokens', 'the registry’s own tools')
  }

  /** Examines settings, credentials, network and storage, rung by rung. */
  doctor(_reference?: string, _options: DoctorOptions = {}): DoctorRun {
    throw this.unsupported('examine credentials', 'client.ping()')
  }

  /** The least policy that allows it, as JSON: `pull`, `browse`, `push`, `create`, `cross-account`. */
  policy(_kind?: string, _options: PolicyOptions = {}): Promise<string> {
    throw this.unsupported('write policies', 'the registry’s own tools')
  }

  /** Images of the catalogue, newest first. */
  async images(query?: string, _options: CallOptions = {}): Promise<Container[]> {
    return (await (await this.#local()).list(query)).map((record) => new Container(record))
  }

  /** @throws {SregistryError} IMAGE_NOT_FOUND */
  async get(name: string, _options: CallOptions = {}): Promise<Container> {
    return new Container(await (await this.#local()).get(name))
  }

  /** What is known of an image, and what the image itself says. @throws IMAGE_NOT_FOUND */
  async inspect(name: string, _options: CallOptions = {}): Promise<ImageInspection> {
    return (await this.#local()).inspect(name)
  }

  /** Takes an image file into storage and catalogue: moved, or copied when asked. */
  async add(
    path: string,
    name: string,
    options: CallOptions & { readonly copy?: boolean } = {},
  ): Promise<Container> {
    return new Container(await (await this.#local()).add(path, name, options))
  }

  /** Moves the file of an image; a directory keeps its name. */
  async mv(name: string, path: string, options: CallOptions = {}): Promise<Container> {
    return new Container(await (await this.#local()).move(name, path, options))
  }

  /** Gives the file of an image another name in its directory. */
  async rename(name: string, to: string, options: CallOptions = {}): Promise<Container> {
    return new Container(await (await this.#local()).rename(name, to, options))
  }

  /** Removes an image's file and its record. */
  async rm(name: string, _options: CallOptions = {}): Promise<Container> {
    return new Container(await (await this.#local()).remove(name))
  }

  /** The labels of local images: how often each value occurs. */
  async labels(query?: string, _options: CallOptions = {}): Promise<readonly LabelCount[]> {
    return (await this.#local()).labels(query)
  }

  /** Closes connections and the catalogue; harmless when done twice. */
  async close(): Promise<void> {
    await this.context.close()
  }

  protected unsupported(what: string, instead: string): SregistryError {
    return new SregistryError('UNSUPPORTED', `the ${this.name} client cannot ${what}`, {
      hint: `instead: ${instead}`,
    })
  }

  /** Loaded when it is first needed: a pull never does. */
  #local(): Promise<LocalImages> {
    this.#opened ??= import('./local-images.ts').then(
      (local) => new local.LocalImages(this.context),
    )
    return this.#opened
  }

  async #pullOne(text: string, options: PullOptions): Promise<Container> {
    const reference = parseReference(text)
    const owner = await this.ownerOf(reference)
    const access = await owner.access(reference, options)
    const record = await pullImage({ context: this.context, client: owner.name, access, options })
    return new Container(record)
  }

  /** A reference with another scheme is the business of that scheme's client. */
  protected async ownerOf(reference: Reference): Promise<Client> {
    const { scheme } = reference
    if (scheme === undefined || this.owns(reference)) return this
    const sibling = await this.sibling?.(scheme)
    if (sibling !== undefined) return sibling
    throw this.unsupported(`pull ${scheme}:// references`, `getClient({ client: '${scheme}' })`)
  }

  protected owns({ scheme }: Reference): boolean {
    return scheme === undefined || scheme === this.name
  }

  async #accessOf(text: string, options: CallOptions): Promise<RegistryAccess> {
    const reference = parseReference(text)
    return (await this.ownerOf(reference)).access(reference, options)
  }

  async #resolve(reference: string, options: ImageOptions): Promise<ResolvedImage> {
    const access = await this.#accessOf(reference, options)
    return access.client.resolve(access.reference, resolveOptions(options))
  }

  async *#tags(repository: string, options: CallOptions): AsyncGenerator<string> {
    const access = await this.#accessOf(repository, options)
    yield* access.client.tags(access.reference.repository, options)
  }
}

function resolveOptions({ platform, signal }: ImageOptions) {
  return {
    ...(platform === undefined ? {} : { platform: parsePlatform(platform) }),
    ...(signal === undefined ? {} : { signal }),
  }
}
