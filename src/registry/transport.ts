/**
 * The one way out to the network, for registries here and for the AWS SDK above: proxies, certificate
 * authorities, time limits and the user agent are decided in this file and nowhere else. It never
 * follows redirects, never retries and never throws foreign errors: its callers do the first two.
 *
 * Two ways of one connection pool's worth of work, chosen by measurement (Node 20, 2 cores, above the
 * 48 ms of `node -e 0`): ofetch over the built-in fetch 95 ms (47 ms with V8's `--liftoff-only`, which
 * spares optimising the HTTP parser at start: a choice of the launcher's, not made here), ofetch over undici's fetch 145 ms,
 * undici.request 140 ms. So small answers come by the first while no proxy and no CA is set, and
 * undici is loaded for blobs, where raw bytes and speed count, and for proxies and CAs.
 */
import { cancelled } from '../errors/cancelled.ts'
import { SregistryError } from '../errors/sregistry-error.ts'
import { readAtMost } from './bounded-body.ts'
import type { NetworkLimits } from './dispatcher.ts'
import { networkFailure } from './network-failure.ts'
import { type ProxyChoice, proxyChoice } from './proxy.ts'
import { AttemptFailed } from './retry.ts'

type HttpRequest = {
  readonly method: 'GET' | 'HEAD' | 'POST'
  readonly url: URL
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  readonly signal?: AbortSignal
}

export type SmallRequest = HttpRequest & {
  /** More bytes than this in a good answer are an error; of a bad one only 64 KiB are read. */
  readonly maxBytes: number
  /** For the whole of it, from connecting to the last byte. Default 60 s. */
  readonly timeoutMs?: number
}

export type HttpHeaders = Readonly<Record<string, string>>

export type SmallAnswer = {
  readonly status: number
  /** Names in lower case; repeated headers joined by ", ". */
  readonly headers: HttpHeaders
  readonly bytes: Uint8Array
}

export type StreamAnswer = {
  readonly status: number
  readonly headers: HttpHeaders
  /** Raw bytes as they came: no Content-Encoding undone. To be read to the end, or discarded. */
  readonly body: AsyncIterable<Uint8Array>
  /** Gives the connection up; harmless when read to the end. */
  discard(reason?: Error): void
}

export type Transport = {
  /** A small answer, whole: manifests, tokens, lists, errors. */
  ask(request: SmallRequest): Promise<SmallAnswer>
  /** A large answer, as a stream of raw bytes. */
  stream(request: HttpRequest): Promise<StreamAnswer>
  /** undici's dispatcher with all of this applied, for a requestHandler of the AWS SDK. Loads undici. */
  dispatcher(): Promise<import('undici').Dispatcher>
  /** `host[:port]` of the proxy that this URL would pass through; undefined when it goes directly. */
  proxyOf(url: URL): string | undefined
  /** Closes every connection. Closing twice is harmless. */
  close(): Promise<void>
}

export type TransportOptions = {
  /** Read for proxies (HTTPS_PROXY, HTTP_PROXY, NO_PROXY) and CAs (NODE_EXTRA_CA_CERTS, AWS_CA_BUNDLE, SSL_CERT_FILE). */
  readonly env: Readonly<Record<string, string | undefined>>
  /** Default `sregistry`. */
  readonly userAgent?: string
  readonly limits?: Partial<NetworkLimits>
}

const maxErrorBytes = 64 * 1024
const smallTimeoutMs = 60_000

export function createTransport(options: TransportOptions): Transport {
  return new NodeTransport(options)
}

type Fetcher = typeof globalThis.fetch

class NodeTransport implements Transport {
  readonly #env: TransportOptions['env']
  readonly #userAgent: string
  readonly #limits: Partial<NetworkLimits>
  readonly #proxies: ProxyChoice
  #dispatcher: Promise<import('undici').Dispatcher> | undefined
  #fetch: Promise<Fetcher> | undefined

  constructor(options: TransportOptions) {
    this.#env = options.env
    this.#userAgent = options.userAgent ?? 'sregistry'
    this.#limits = options.limits ?? {}
    this.#proxies = proxyChoice(options.env)
  }

  proxyOf(url: URL): string | undefined {
    return this.#proxies.proxyOf(url)
  }

  dispatcher(): Promise<import('undici').Dispatcher> {
    // loaded when needed: it and undici cost more than a whole request by the other way
    this.#dispatcher ??= import('./dispatcher.ts').then(({ createDispatcher }) =>
      createDispatcher(this.#env, this.#limits),
    )
    return this.#dispatcher
  }

  async ask(request: SmallRequest): Promise<SmallAnswer> {
    const timeoutMs = request.timeoutMs ?? smallTimeoutMs
    const limit = new AbortController()
    const timer = setTimeout(() => limit.abort(timedOut(request, timeoutMs)), timeoutMs)
    const stop = () => limit.abort(request.signal?.reason)
    request.signal?.addEventListener('abort', stop, { once: true })
    try {
      if (request.signal?.aborted) throw cancelled(`the request to ${request.url.host}`)
      return await this.#askWithin(request, limit.signal)
    } catch (thrown) {
      const reason = limit.signal.aborted ? limit.signal.reason : thrown
      throw this.#failed(reason, request)
    } finally {
      clearTimeout(timer)
      request.signal?.removeEventListener('abort', stop)
    }
  }

  async stream(request: HttpRequest): Promise<StreamAnswer> {
    try {
      const [{ request: send }, dispatcher] = await Promise.all([
        import('undici'),
        this.dispatcher(),
      ])
      const answer = await send(request.url, {
        dispatcher,
        method: request.method,
        headers: this.#headers(request),
        body: request.body ?? null,
        signal: request.signal ?? null,
      })
      // an error after `discard` has nobody left to hear it
      answer.body.on('error', () => undefined)
      return {
        status: answer.statusCode,
        headers: flatHeaders(answer.headers),
        body: answer.body,
        discard: (reason) => void answer.body.destroy(reason),
      }
    } catch (thrown) {
      throw this.#failed(thrown, request)
    }
  }

  async close(): Promise<void> {
    const dispatcher = await this.#dispatcher
    this.#dispatcher = undefined
    this.#fetch = undefined
    await dispatcher?.destroy()
  }

  async #askWithin(request: SmallRequest, signal: AbortSignal): Promise<SmallAnswer> {
    this.#fetch ??= this.#loadFetch()
    const [{ createFetch }, fetcher] = await Promise.all([import('ofetch'), this.#fetch])
    const http = createFetch({ fetch: fetcher, Headers: globalThis.Headers })
    const answer = await http.raw(request.url.href, {
      method: request.method,
      headers: this.#headers(request),
      ...(request.body === undefined ? {} : { body: request.body }),
      responseType: 'stream',
      redirect: 'manual',
      retry: 0,
      ignoreResponseError: true,
      signal,
    })
    const isError = answer.status >= 300
    const bytes = await readAtMost(answer.body, isError ? maxErrorBytes : request.maxBytes, {
      what: `the answer of ${request.url.host}`,
      isCut: isError,
    })
    return { status: answer.status, headers: Object.fromEntries(answer.headers), bytes }
  }

  /** The built-in fetch where it serves; undici's where a proxy or CA must be passed to it. */
  async #loadFetch(): Promise<Fetcher> {
    if (!this.#proxies.isAnySet && !hasOwnCertificates(this.#env)) return globalThis.fetch
    const [{ fetch }, dispatcher] = await Promise.all([import('undici'), this.dispatcher()])
    const throughDispatcher = (input: string, init: object) => fetch(input, { ...init, dispatcher })
    return throughDispatcher as unknown as Fetcher
  }

  #headers(request: HttpRequest): Record<string, string> {
    return { 'user-agent': this.#userAgent, 'accept-encoding': 'identity', ...request.headers }
  }

  #failed(thrown: unknown, request: HttpRequest): Error {
    const proxy = this.proxyOf(request.url)
    const place = { host: request.url.host, ...(proxy === undefined ? {} : { proxy }) }
    const { error, rule } = networkFailure(thrown, place, request.signal)
    return new AttemptFailed(error, rule)
  }
}

/** NODE_EXTRA_CA_CERTS is Node's own and reaches the built-in fetch without us; the others do not. */
function hasOwnCertificates(env: TransportOptions['env']): boolean {
  return Boolean(env['AWS_CA_BUNDLE'] || env['SSL_CERT_FILE'])
}

function timedOut(request: SmallRequest, timeoutMs: number): SregistryError {
  const seconds = Math.ceil(timeoutMs / 1000)
  return new SregistryError('TIMEOUT', `${request.url.host} did not answer within ${seconds} s`)
}

function flatHeaders(headers: Record<string, string | string[] | undefined>): HttpHeaders {
  const flat: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined)
      flat[name.toLowerCase()] = Array.isArray(value) ? value.join(', ') : value
  }
  return flat
}
