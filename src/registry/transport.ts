/**
 * The one way out to the network, for registries here and for the AWS SDK above: proxies, certificate
 * authorities, time limits and the user agent are decided in this file and nowhere else. It never
 * follows redirects, never retries and never throws foreign errors: its callers do the first two.
 *
 * Three ways, chosen by measurement (Node 20, 2 cores, above the 22 ms of `node -e 0`). A small answer
 * comes by Node's own http where its host is reached directly: 8 ms, while ofetch over the built-in
 * fetch takes 47 to 95 and over undici's 145. Through a proxy it comes by ofetch over undici's fetch,
 * for Node's http knows no proxies. Blobs come by undici, where raw bytes and speed count; small ones,
 * such as configs, by Node's http too: undici takes 70 ms to load.
 */
import type { IncomingMessage } from 'node:http'
import { cancelled } from '../errors/cancelled.ts'
import { SregistryError } from '../errors/sregistry-error.ts'
import { readAtMost } from './bounded-body.ts'
import type { DirectConnections } from './direct-request.ts'
import { type NetworkLimits, networkLimits } from './network-limits.ts'
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

export type StreamRequest = HttpRequest & {
  /** Size of the body, where it is known. */
  readonly expectedBytes?: number
}

export type StreamAnswer = {
  /** `host[:port]` that answered: after a redirect not the registry's. */
  readonly host: string
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
  stream(request: StreamRequest): Promise<StreamAnswer>
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

/** An answer whose body is still to be read. */
type OpenAnswer = Omit<SmallAnswer, 'bytes'> & {
  readonly body: AsyncIterable<Uint8Array> | null | undefined
}

class NodeTransport implements Transport {
  readonly #env: TransportOptions['env']
  readonly #userAgent: string
  readonly #limits: Partial<NetworkLimits>
  readonly #proxies: ProxyChoice
  #dispatcher: Promise<import('undici').Dispatcher> | undefined
  #direct: Promise<DirectConnections> | undefined

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
      throw await this.#failed(reason, request)
    } finally {
      clearTimeout(timer)
      request.signal?.removeEventListener('abort', stop)
    }
  }

  async stream(request: StreamRequest): Promise<StreamAnswer> {
    const { maxDirectBytes } = { ...networkLimits, ...this.#limits }
    const isSmall = (request.expectedBytes ?? Number.POSITIVE_INFINITY) <= maxDirectBytes
    if (isSmall && this.proxyOf(request.url) === undefined) return this.#streamDirectly(request)
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
        host: request.url.host,
        status: answer.statusCode,
        headers: flatHeaders(answer.headers),
        body: answer.body,
        discard: (reason) => void answer.body.destroy(reason),
      }
    } catch (thrown) {
      throw await this.#failed(thrown, request)
    }
  }

  async close(): Promise<void> {
    const dispatcher = this.#dispatcher
    const direct = this.#direct
    this.#dispatcher = undefined
    this.#direct = undefined
    await Promise.all([
      dispatcher?.then((one) => one.destroy()),
      direct?.then((one) => one.close()),
    ])
  }

  async #streamDirectly(request: StreamRequest): Promise<StreamAnswer> {
    const { headersMs, idleMs } = { ...networkLimits, ...this.#limits }
    const limit = new AbortController()
    let timer: NodeJS.Timeout | undefined
    // as undici's limit, which leaves out the wait for a connection that others have
    const onConnection = () => {
      timer = setTimeout(() => limit.abort(timedOut(request, headersMs)), headersMs)
    }
    const signals = request.signal === undefined ? [] : [request.signal]
    try {
      const signal = AbortSignal.any([limit.signal, ...signals])
      const answer = await this.#sendDirectly(request, signal, onConnection)
      answer.setTimeout(idleMs, () => answer.destroy(timedOut(request, idleMs)))
      // an error after `discard` has nobody left to hear it
      answer.on('error', () => undefined)
      return {
        host: request.url.host,
        status: answer.statusCode ?? 0,
        headers: flatHeaders(answer.headers),
        body: answer,
        discard: (reason) => void answer.destroy(reason),
      }
    } catch (thrown) {
      throw await this.#failed(limit.signal.aborted ? limit.signal.reason : thrown, request)
    } finally {
      clearTimeout(timer)
    }
  }

  async #askWithin(request: SmallRequest, signal: AbortSignal): Promise<SmallAnswer> {
    const isDirect = this.proxyOf(request.url) === undefined
    const { status, headers, body } = isDirect
      ? await this.#askDirectly(request, signal)
      : await this.#askProxy(request, signal)
    const isError = status >= 300
    const bytes = await readAtMost(body, isError ? maxErrorBytes : request.maxBytes, {
      what: `the answer of ${request.url.host}`,
      isCut: isError,
    })
    return { status, headers, bytes }
  }

  async #askDirectly(request: SmallRequest, signal: AbortSignal): Promise<OpenAnswer> {
    const answer = await this.#sendDirectly(request, signal)
    return { status: answer.statusCode ?? 0, headers: flatHeaders(answer.headers), body: answer }
  }

  async #sendDirectly(
    request: HttpRequest,
    signal: AbortSignal,
    onConnection: () => void = () => undefined,
  ): Promise<IncomingMessage> {
    this.#direct ??= this.#loadDirect()
    const connections = await this.#direct
    const { method, url, body } = request
    const headers = this.#headers(request)
    return connections.send({ method, url, headers, body, signal, onConnection })
  }

  /** AWS's and OpenSSL's files of authorities reach Node's https only when they are handed to it. */
  async #loadDirect(): Promise<DirectConnections> {
    const { DirectConnections } = await import('./direct-request.ts')
    return new DirectConnections({ ...networkLimits, ...this.#limits }, async () => {
      if (!hasOwnCertificates(this.#env)) return undefined
      const { certificateAuthorities } = await import('./certificate-authorities.ts')
      return certificateAuthorities(this.#env)
    })
  }

  async #askProxy(request: SmallRequest, signal: AbortSignal): Promise<OpenAnswer> {
    const [{ createFetch }, { fetch }, dispatcher] = await Promise.all([
      import('ofetch'),
      import('undici'),
      this.dispatcher(),
    ])
    const fetcher = (input: string, init: object) => fetch(input, { ...init, dispatcher })
    const http = createFetch({
      fetch: fetcher as unknown as typeof globalThis.fetch,
      Headers: globalThis.Headers,
    })
    const { status, headers, body } = await http.raw(request.url.href, {
      method: request.method,
      headers: this.#headers(request),
      ...(request.body === undefined ? {} : { body: request.body }),
      responseType: 'stream',
      redirect: 'manual',
      retry: 0,
      ignoreResponseError: true,
      signal,
    })
    return { status, headers: Object.fromEntries(headers), body }
  }

  #headers(request: HttpRequest): Record<string, string> {
    return { 'user-agent': this.#userAgent, 'accept-encoding': 'identity', ...request.headers }
  }

  async #failed(thrown: unknown, request: HttpRequest): Promise<Error> {
    const { networkFailure } = await import('./network-failure.ts')
    const proxy = this.proxyOf(request.url)
    const place = { host: request.url.host, ...(proxy === undefined ? {} : { proxy }) }
    const { error, rule } = networkFailure(thrown, place, request.signal)
    return new AttemptFailed(error, rule)
  }
}

/** NODE_EXTRA_CA_CERTS is Node's own and reaches its https without us; the others do not. */
function hasOwnCertificates(env: TransportOptions['env']): boolean {
  return Boolean(env['AWS_CA_BUNDLE'] || env['SSL_CERT_FILE'])
}

function timedOut(request: HttpRequest, timeoutMs: number): SregistryError {
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
