/**
 * Requests to one registry, with everything that stands between a path and an answer: authorization
 * (refreshed once), retries, redirects followed by hand, and errors in our words.
 */
import type { SregistryError } from '../errors/sregistry-error.ts'
import { type Authorization, Authorizer } from './authorizer.ts'
import { readAtMost } from './bounded-body.ts'
import type { Clock } from './clock.ts'
import type { CredentialSource } from './credentials.ts'
import { isRedirect, maxRedirects, nextHop, tooManyRedirects } from './redirect.ts'
import { type AskedFor, registryError } from './registry-answer.ts'
import {
  AttemptFailed,
  isRetriedStatus,
  parseRetryAfter,
  RetryBudget,
  type RetryPolicy,
  withRetries,
} from './retry.ts'
import type { HttpHeaders, SmallAnswer, StreamAnswer, Transport } from './transport.ts'

export type SessionOptions = {
  /** `https://host[:port]/`. */
  readonly registry: URL
  readonly transport: Transport
  readonly credentials: CredentialSource
  readonly sendsBasicFirst: boolean
  readonly clock: Clock
  readonly retryPolicy: RetryPolicy
  readonly random: () => number
}

export type RegistryRequest = {
  readonly url: URL
  readonly asked: AskedFor
  readonly headers: HttpHeaders
  /** Size of a stream's body, where it is known. */
  readonly expectedBytes?: number
  /** How often a 404 is asked again: a manifest just named by an index may be a moment behind. */
  readonly missingRetries?: number
  readonly signal?: AbortSignal
}

/** What both kinds of answer have in common. */
type Answer = { readonly status: number; readonly headers: HttpHeaders }

/** An answer, and what is known of who gave it. */
type Placed<A extends Answer> = { readonly answer: A; readonly asked: AskedFor }

type Way<A extends Answer> = {
  send(url: URL, headers: HttpHeaders): Promise<A>
  /** The whole of a small answer; of a stream, as much as an error needs, and the rest given up. */
  settle(answer: A): Promise<SmallAnswer>
}

const errorBytes = 64 * 1024

export class RegistrySession {
  readonly registry: URL
  readonly #options: SessionOptions
  readonly #authorizer: Authorizer
  readonly #lifetime = new AbortController()

  constructor(options: SessionOptions) {
    this.registry = options.registry
    this.#options = options
    this.#authorizer = new Authorizer({
      registry: options.registry,
      credentials: options.credentials,
      sendsBasicFirst: options.sendsBasicFirst,
      clock: options.clock,
      lifetime: this.#lifetime.signal,
      ask: (request) => this.#askTokenServer(request),
    })
  }

  budget(): RetryBudget {
    const { clock, retryPolicy, random } = this.#options
    return new RetryBudget(clock, retryPolicy, random)
  }

  /**
   * A small answer with status 200.
   * @throws {SregistryError} what the registry or the network had to say, after the retries.
   */
  async ask(request: RegistryRequest, maxBytes: number): Promise<SmallAnswer> {
    const way: Way<SmallAnswer> = {
      settle: async (answer) => answer,
      send: (url, headers) =>
        this.#options.transport.ask({
          method: 'GET',
          url,
          headers,
          maxBytes,
          ...withSignal(request.signal),
        }),
    }
    const attempt = async () => {
      const { answer, asked } = await this.#authorized(request, way)
      if (answer.status === 200) return answer
      throw this.#failure(answer, { ...request, asked })
    }
    return withRetries(attempt, this.budget(), request.signal)
  }

  /**
   * One try for a stream: status 200 or 206, or 416.
   * @throws {AttemptFailed} when another try may help; {SregistryError} when none will.
   */
  async open(request: RegistryRequest): Promise<StreamAnswer> {
    const { answer, asked } = await this.#authorized(request, this.#streaming(request))
    if ([200, 206, 416].includes(answer.status)) return answer
    throw this.#failure(await settleStream(answer), { ...request, asked })
  }

  /** The same for a place that is not the registry's: no credentials, but the same rules. */
  async openElsewhere(request: RegistryRequest): Promise<StreamAnswer> {
    const url = nextHop(this.registry, request.url.href, this.registry)
    const way = this.#streaming(request)
    const { answer, asked } = await this.#followed({ ...request, url }, way, undefined)
    if ([200, 206, 416].includes(answer.status)) return answer
    throw this.#failure(await settleStream(answer), { ...request, asked })
  }

  close(): void {
    this.#lifetime.abort()
  }

  #streaming(request: RegistryRequest): Way<StreamAnswer> {
    return {
      settle: settleStream,
      send: (url, headers) =>
        this.#options.transport.stream({
          method: 'GET',
          url,
          headers,
          ...(request.expectedBytes === undefined ? {} : { expectedBytes: request.expectedBytes }),
          ...withSignal(request.signal),
        }),
    }
  }

  async #authorized<A extends Answer>(request: RegistryRequest, way: Way<A>): Promise<Placed<A>> {
    const { asked, signal } = request
    const repository = asked.repository === '' ? undefined : asked.repository
    const used = await this.#authorizer.authorization(repository, signal)
    const first = await this.#followed(request, way, used)
    if (first.asked.storage !== undefined) return this.#unlessStoreRefused(first, request, way)
    if (!isRefusal(first.answer)) return first
    const refused = await way.settle(first.answer)
    const refusal = { answer: refused, used, repository, ...withSignal(signal) }
    const fresh = await this.#authorizer.renewed(refusal)
    if (fresh === undefined) throw registryError(refused, first.asked)
    const second = await this.#followed(request, way, fresh)
    if (second.asked.storage !== undefined) return this.#unlessStoreRefused(second, request, way)
    if (!isRefusal(second.answer)) return second
    throw registryError(await way.settle(second.answer), second.asked)
  }

  /** A store's 403 means that its signed URL is over: the registry gives a new one with the next try. */
  async #unlessStoreRefused<A extends Answer>(
    placed: Placed<A>,
    request: RegistryRequest,
    way: Way<A>,
  ): Promise<Placed<A>> {
    const { answer, asked } = placed
    if (![400, 401, 403].includes(answer.status)) return placed
    throw this.#failure(await way.settle(answer), { ...request, asked })
  }

  async #followed<A extends Answer>(
    request: RegistryRequest,
    way: Way<A>,
    used: Authorization | undefined,
  ): Promise<Placed<A>> {
    let url = request.url
    const hosts: string[] = []
    for (let hop = 0; hop <= maxRedirects; hop += 1) {
      hosts.push(url.host)
      const isElsewhere = url.origin !== this.registry.origin
      const answer = await way.send(
        url,
        headersFor(request.headers, isElsewhere ? undefined : used),
      )
      if (!isRedirect(answer.status)) {
        const asked = withSource(request.asked, used)
        return { answer, asked: isElsewhere ? { ...asked, storage: url.host } : asked }
      }
      await way.settle(answer)
      url = nextHop(url, answer.headers['location'], this.registry)
    }
    throw tooManyRedirects(hosts)
  }

  #failure(answer: SmallAnswer, request: RegistryRequest): Error {
    const error: SregistryError = registryError(answer, request.asked)
    const retryAfterMs = parseRetryAfter(answer.headers['retry-after'], this.#options.clock.now())
    if (isRetriedStatus(answer.status) || request.asked.storage !== undefined) {
      return new AttemptFailed(error, { maxRetries: Number.POSITIVE_INFINITY }, retryAfterMs)
    }
    if (answer.status === 404 && request.missingRetries !== undefined) {
      return new AttemptFailed(error, { maxRetries: request.missingRetries })
    }
    return error
  }

  /** Token servers are retried like registries; a redirect of theirs is never followed. */
  async #askTokenServer(request: Parameters<Transport['ask']>[0]): Promise<SmallAnswer> {
    const attempt = async () => {
      const answer = await this.#options.transport.ask(request)
      if (!isRetriedStatus(answer.status)) return answer
      const asked = {
        host: request.url.host,
        repository: '',
        what: 'a token',
        kind: 'registry',
      } as const
      const after = parseRetryAfter(answer.headers['retry-after'], this.#options.clock.now())
      const rule = { maxRetries: Number.POSITIVE_INFINITY }
      throw new AttemptFailed(registryError(answer, asked), rule, after)
    }
    return withRetries(attempt, this.budget(), request.signal)
  }
}

function headersFor(headers: HttpHeaders, used: Authorization | undefined): HttpHeaders {
  return used === undefined ? headers : { ...headers, authorization: used.header }
}

function withSource(asked: AskedFor, used: Authorization | undefined): AskedFor {
  const from = used?.credentialsFrom
  return from === undefined ? asked : { ...asked, credentialsFrom: from }
}

function withSignal(signal: AbortSignal | undefined): { signal?: AbortSignal } {
  return signal === undefined ? {} : { signal }
}

function isRefusal(answer: Answer): boolean {
  return answer.status === 401 || answer.status === 403
}

async function settleStream(answer: StreamAnswer): Promise<SmallAnswer> {
  try {
    const bytes = await readAtMost(answer.body, errorBytes, { what: 'an error', isCut: true })
    return { status: answer.status, headers: answer.headers, bytes }
  } catch {
    // the body of an error broke off: the status says enough
    return { status: answer.status, headers: answer.headers, bytes: new Uint8Array() }
  } finally {
    answer.discard()
  }
}
