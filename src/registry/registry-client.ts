/** Reading from one registry: what a reference means there, its blobs, its tags. */
import { SregistryError } from '../errors/sregistry-error.ts'
import { readAtMost } from './bounded-body.ts'
import { type Clock, systemClock } from './clock.ts'
import { anonymous, type CredentialSource } from './credentials.ts'
import type { Descriptor } from './descriptor.ts'
import { type Digest, formatDigest } from './digest.ts'
import type { ImageConfig } from './image-config.ts'
import { maxConfigBytes } from './json-document.ts'
import type { Index, Manifest } from './manifest.ts'
import { requireImage } from './manifest.ts'
import {
  fetchManifest,
  type LocatedImage,
  type LocatedManifest,
  locateManifest,
} from './manifest-lookup.ts'
import { isForeignLayer } from './media-types.ts'
import { hostPlatform, type Platform } from './platform.ts'
import { isLoopback } from './private-address.ts'
import { formatReference, type Reference } from './reference.ts'
import type { AskedFor } from './registry-answer.ts'
import { RegistrySession } from './registry-session.ts'
import { defaultRetryPolicy, type RetryPolicy } from './retry.ts'
import type { Transport } from './transport.ts'

export type { LocatedImage, LocatedManifest } from './manifest-lookup.ts'

export type RegistryClientOptions = {
  /** `host[:port]` as in references; `docker.io` is asked at its API's host. */
  readonly host: string
  readonly transport: Transport
  /** http instead of https. Default: only for this machine (localhost, 127.0.0.0/8, ::1). */
  readonly plainHttp?: boolean
  /** Default: anonymous. */
  readonly credentials?: CredentialSource
  /** Basic with the first request instead of waiting for the challenge: ECR. Default false. */
  readonly sendsBasicFirst?: boolean
  readonly clock?: Clock
  readonly retryPolicy?: RetryPolicy
  readonly random?: () => number
}

type ManifestOptions = {
  readonly signal?: AbortSignal
}

type ResolveOptions = {
  /** Default: linux on this machine's processor. */
  readonly platform?: Platform
  readonly signal?: AbortSignal
}

type BlobReadOptions = {
  /** Called with the bytes of this blob that have passed so far, for every chunk. */
  readonly onProgress?: (doneBytes: number) => void
  readonly signal?: AbortSignal
}

export type ResolvedImage = {
  readonly reference: Reference
  /** `host[:port]` as asked for. */
  readonly registry: string
  /** Of the platform's manifest. */
  readonly manifestDigest: Digest
  readonly indexDigest?: Digest
  readonly manifest: Manifest
  readonly manifestBytes: Uint8Array
  readonly config: ImageConfig
  readonly configBytes: Uint8Array
  /** What the image says it is for; what was asked for, where it says nothing. */
  readonly platform: Platform
  readonly layers: readonly Descriptor[]
}

export type RegistryClient = {
  readonly host: string
  /**
   * Which manifest a reference means, in one request: an unchanged image needs no more than this.
   * @throws {SregistryError} MANIFEST_UNKNOWN, NAME_UNKNOWN, PLATFORM_MISSING, access, network.
   */
  locate(reference: Reference, options?: ResolveOptions): Promise<LocatedManifest>
  /** The same with the platform's manifest, which an index only names. @throws as `resolve`. */
  readManifest(located: LocatedManifest, options?: ManifestOptions): Promise<LocatedImage>
  /** Everything but the layers. A tag is looked up once; all else goes by digest. */
  resolve(reference: Reference | LocatedManifest, options?: ResolveOptions): Promise<ResolvedImage>
  /** The manifest or index that a reference names, artifacts included, with its bytes. */
  manifest(reference: Reference, options?: ManifestOptions): Promise<FetchedManifest>
  /** The bytes of a blob, verified; may be used only after they ended without an error. */
  openBlob(
    repository: string,
    descriptor: Descriptor,
    options?: BlobReadOptions,
  ): AsyncIterable<Uint8Array>
  /** In the registry's own order, page by page as they are consumed. */
  tags(repository: string, options?: ManifestOptions): AsyncIterable<string>
  /** Whether `/v2/` answers and the credentials are taken. */
  ping(options?: ManifestOptions): Promise<void>
  /** Ends what still runs; the transport stays open. Closing twice is harmless. */
  close(): void
}

type FetchedManifest = {
  readonly manifest: Manifest | Index
  readonly bytes: Uint8Array
  readonly digest: Digest
}

/** No page of a list repeats itself for ever. */
const maxTagPages = 10_000

const maxPingBytes = 4 * 1024 * 1024

export function createRegistryClient(options: RegistryClientOptions): RegistryClient {
  return new HttpRegistryClient(options)
}

class HttpRegistryClient implements RegistryClient {
  readonly host: string
  readonly #session: RegistrySession
  readonly #clock: Clock

  constructor(options: RegistryClientOptions) {
    this.host = options.host
    this.#clock = options.clock ?? systemClock
    this.#session = new RegistrySession({
      registry: apiUrl(options.host, options.plainHttp),
      transport: options.transport,
      credentials: options.credentials ?? anonymous,
      sendsBasicFirst: options.sendsBasicFirst ?? false,
      clock: this.#clock,
      retryPolicy: options.retryPolicy ?? defaultRetryPolicy,
      random: options.random ?? Math.random,
    })
  }

  locate(reference: Reference, options: ResolveOptions = {}): Promise<LocatedManifest> {
    const platform = options.platform ?? hostPlatform()
    return locateManifest(this.#session, reference, platform, options.signal)
  }

  async readManifest(
    located: LocatedManifest,
    { signal }: ManifestOptions = {},
  ): Promise<LocatedImage> {
    const image = located.image ?? (await this.#child(located, signal))
    requireImage(image.manifest, formatReference(located.reference))
    return { ...located, image }
  }

  async resolve(
    wanted: Reference | LocatedManifest,
    options: ResolveOptions = {},
  ): Promise<ResolvedImage> {
    const { signal } = options
    const located = 'manifestDigest' in wanted ? wanted : await this.locate(wanted, options)
    const { reference, manifestDigest, indexDigest, image } = await this.readManifest(
      located,
      withSignal(signal),
    )
    const { manifest, bytes } = image
    const what = formatReference(reference)
    const configBytes = await this.#config(reference, manifest.config, signal)
    const { parseImageConfig } = await import('./image-config.ts')
    const config = parseImageConfig(configBytes, manifest.layers.length, `the config of ${what}`)
    return {
      reference,
      registry: this.host,
      manifestDigest,
      ...(indexDigest === undefined ? {} : { indexDigest }),
      manifest,
      manifestBytes: bytes,
      config,
      configBytes,
      platform: platformOf(config) ?? located.platform,
      layers: manifest.layers,
    }
  }

  manifest(reference: Reference, options: ManifestOptions = {}): Promise<FetchedManifest> {
    return fetchManifest(this.#session, reference, withSignal(options.signal))
  }

  async *openBlob(
    repository: string,
    descriptor: Descriptor,
    options: BlobReadOptions = {},
  ): AsyncGenerator<Uint8Array> {
    const { readBlob } = await import('./blob.ts')
    const source = {
      host: this.#session.registry.host,
      open: (offset: number, signal: AbortSignal | undefined) =>
        this.#openPart(repository, descriptor, offset, signal),
    }
    yield* readBlob(source, descriptor, {
      ...options,
      budget: this.#session.budget(),
      clock: this.#clock,
    })
  }

  async *tags(repository: string, options: ManifestOptions = {}): AsyncGenerator<string> {
    const { maxTagPageBytes, nextPage, readTagPage, tagPageSize } = await import('./tag-list.ts')
    const asked = this.#asked(repository, `the tags of ${repository}`, 'tags')
    let url: URL | undefined = this.#url(`${repository}/tags/list?n=${tagPageSize}`)
    const seen = new Set<string>()
    while (url !== undefined) {
      if (seen.has(url.href) || seen.size >= maxTagPages) {
        throw new SregistryError('PROTOCOL_ERROR', `${this.host} repeats its list of tags for ever`)
      }
      seen.add(url.href)
      const request = { url, asked, headers: {}, ...withSignal(options.signal) }
      const answer = await this.#session.ask(request, maxTagPageBytes)
      yield* readTagPage(answer.bytes, this.host)
      url = nextPage(answer.headers['link'], url)
    }
  }

  async ping(options: ManifestOptions = {}): Promise<void> {
    const asked = this.#asked('', 'its API', 'registry')
    const request = { url: this.#url(''), asked, headers: {}, ...withSignal(options.signal) }
    await this.#session.ask(request, maxPingBytes)
  }

  close(): void {
    this.#session.close()
  }

  async #child(located: LocatedManifest, signal: AbortSignal | undefined) {
    const { reference, manifestDigest, manifestBytes } = located
    const fetched = await fetchManifest(
      this.#session,
      { ...reference, digest: manifestDigest },
      { expectedBytes: manifestBytes, missingRetries: 2, ...withSignal(signal) },
    )
    if (fetched.manifest.kind === 'manifest') {
      return { manifest: fetched.manifest, bytes: fetched.bytes }
    }
    const message = `${formatReference(reference)} is an index within an index within an index`
    throw new SregistryError('LIMIT_EXCEEDED', message)
  }

  /** Small, so read whole; a wrong digest is given one more chance on a fresh request. */
  async #config(
    { repository }: Reference,
    descriptor: Descriptor,
    signal: AbortSignal | undefined,
  ): Promise<Uint8Array> {
    const read = () =>
      readAtMost(this.openBlob(repository, descriptor, withSignal(signal)), maxConfigBytes, {
        what: 'the config',
        isCut: false,
      })
    try {
      return await read()
    } catch (thrown) {
      const isWrong = thrown instanceof SregistryError && thrown.code === 'DIGEST_MISMATCH'
      if (!isWrong) throw thrown
      return read()
    }
  }

  async #openPart(
    repository: string,
    descriptor: Descriptor,
    offset: number,
    signal: AbortSignal | undefined,
  ) {
    const { formatRangeFrom } = await import('./byte-range.ts')
    const request = {
      url: this.#url(`${repository}/blobs/${formatDigest(descriptor.digest)}`),
      asked: this.#asked(repository, `the blob ${formatDigest(descriptor.digest)}`, 'blob'),
      headers: offset === 0 ? {} : { range: formatRangeFrom(offset) },
      expectedBytes: descriptor.sizeBytes - offset,
      ...withSignal(signal),
    }
    const elsewhere = isForeignLayer(descriptor.mediaType) ? descriptor.urls?.[0] : undefined
    try {
      return await this.#session.open(request)
    } catch (thrown) {
      const isMissing = thrown instanceof SregistryError && thrown.code === 'BLOB_UNKNOWN'
      if (!isMissing || elsewhere === undefined || !URL.canParse(elsewhere)) throw thrown
      return this.#session.openElsewhere({ ...request, url: new URL(elsewhere) })
    }
  }

  #url(path: string): URL {
    return new URL(`/v2/${path}`, this.#session.registry)
  }

  #asked(repository: string, what: string, kind: AskedFor['kind']): AskedFor {
    return { host: this.#session.registry.host, repository, what, kind }
  }
}

/** @throws {SregistryError} SETTING_INVALID when the host is none. */
function apiUrl(host: string, plainHttp: boolean | undefined): URL {
  const name = host === 'docker.io' || host === 'index.docker.io' ? 'registry-1.docker.io' : host
  const isUsable = !/[/?#@\s\\]/.test(name) && URL.canParse(`https://${name}/`)
  if (!isUsable) {
    throw new SregistryError('SETTING_INVALID', `"${name.slice(0, 80)}" is not a registry’s host`, {
      hint: 'give host[:port], without scheme and path',
    })
  }
  const isPlain = plainHttp ?? isLoopback(new URL(`https://${name}/`).hostname)
  return new URL(`${isPlain ? 'http' : 'https'}://${name}/`)
}

function platformOf(config: ImageConfig): Platform | undefined {
  const { os, architecture, variant } = config
  if (os === undefined || architecture === undefined) return undefined
  return variant === undefined ? { os, architecture } : { os, architecture, variant }
}

function withSignal(signal: AbortSignal | undefined): { signal?: AbortSignal } {
  return signal === undefined ? {} : { signal }
}
