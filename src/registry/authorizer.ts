/**
 * The Authorization header of one registry, kept for all its requests. Many workers share it: one
 * challenge, one log-in, one refresh at a time (FAULTS N12), and a refusal that a fresh log-in did
 * not mend is final.
 */
import { cancelled, throwIfCancelled } from '../errors/cancelled.ts'
import type { BearerToken } from './bearer-token.ts'
import { type Challenge, parseChallenges } from './challenge.ts'
import type { Clock } from './clock.ts'
import { basicParameter, type CredentialSource, type Credentials } from './credentials.ts'
import { readErrorBody, saysExpired } from './registry-answer.ts'
import type { SmallAnswer, SmallRequest } from './transport.ts'

export type Authorization = {
  readonly header: string
  /** Whose credentials stand behind it; undefined for an anonymous token. */
  readonly credentialsFrom: string | undefined
  /** When it must be renewed without being refused first. */
  readonly renewAt: number
}

export type AuthorizerOptions = {
  readonly registry: URL
  readonly credentials: CredentialSource
  /** Send Basic with the very first request: ECR's way, which spares every pull a 401. */
  readonly sendsBasicFirst: boolean
  readonly ask: (request: SmallRequest) => Promise<SmallAnswer>
  readonly clock: Clock
  /** Fires when the client closes; workers come and go, a shared log-in outlives each of them. */
  readonly lifetime: AbortSignal
}

export type Refusal = {
  readonly answer: SmallAnswer
  /** What the refused request had carried. */
  readonly used: Authorization | undefined
  readonly repository: string | undefined
  readonly signal?: AbortSignal
}

export class Authorizer {
  readonly #options: AuthorizerOptions
  /** By scope: bearer tokens are bound to a repository, Basic to the registry (the empty scope). */
  readonly #current = new Map<string, Authorization>()
  readonly #flights = new Map<string, Promise<Authorization | undefined>>()
  readonly #challenges = new Map<string, Challenge>()
  /** By repository: podman's auth.json may hold another name for a part of a registry. */
  readonly #credentials = new Map<string, Credentials | undefined>()

  constructor(options: AuthorizerOptions) {
    this.#options = options
  }

  /** What the next request should carry; undefined before the registry asked for anything. */
  async authorization(
    repository: string | undefined,
    signal?: AbortSignal,
  ): Promise<Authorization | undefined> {
    const scope = repository ?? ''
    const current = this.#current.get(scope) ?? this.#current.get('')
    if (current !== undefined && current.renewAt > this.#options.clock.now()) return current
    const challenge = this.#challenges.get(scope)
    if (challenge !== undefined) {
      return this.#once(scope, signal, () => this.#bearer(challenge, repository))
    }
    if (current !== undefined || !this.#options.sendsBasicFirst) return current
    return this.#once('', signal, () => this.#basic(repository))
  }

  /**
   * Answers a refusal (401 or 403) with another authorization; undefined when there is none to be had.
   * A 403 that does not speak of expiry is the registry's last word.
   */
  async renewed(refusal: Refusal): Promise<Authorization | undefined> {
    const { answer, used, repository, signal } = refusal
    if (answer.status === 403 && !saysExpired(answer)) return undefined
    const scope = repository ?? ''
    const latest = this.#current.get(scope) ?? this.#current.get('')
    // another worker was faster
    if (latest !== undefined && latest.header !== used?.header) return latest
    const challenge = this.#challengeOf(scope, answer)
    if (challenge?.scheme === 'bearer') {
      return this.#once(scope, signal, async () => {
        if (used?.credentialsFrom !== undefined) await this.#askAgain(refusal)
        return this.#bearer(challenge, repository)
      })
    }
    return this.#once('', signal, async () => {
      if (used !== undefined) await this.#askAgain(refusal)
      return this.#basic(repository)
    })
  }

  /** One at a time for a scope; whoever comes meanwhile gets the same outcome. */
  #once(
    scope: string,
    signal: AbortSignal | undefined,
    obtain: () => Promise<Authorization | undefined>,
  ): Promise<Authorization | undefined> {
    let flight = this.#flights.get(scope)
    if (flight === undefined) {
      flight = obtain()
        .then((authorization) => {
          if (authorization === undefined) this.#current.delete(scope)
          else this.#current.set(scope, authorization)
          return authorization
        })
        .finally(() => this.#flights.delete(scope))
      this.#flights.set(scope, flight)
    }
    return unlessAborted(flight, signal)
  }

  /**
   * The challenge that can be met, Bearer before Basic. On `invalid_token` the first realm stays: nvcr.io
   * then names one that serves no anonymous user (NVIDIA/nvidia-container-toolkit#1945).
   */
  #challengeOf(scope: string, answer: SmallAnswer): Challenge | undefined {
    const offered = parseChallenges(answer.headers['www-authenticate'] ?? '')
    const bearer = offered.find((one) => one.scheme === 'bearer' && one.parameters['realm'])
    const known = this.#challenges.get(scope)
    if (known !== undefined && (!bearer || bearer.parameters['error'] === 'invalid_token')) {
      return known
    }
    if (bearer !== undefined) this.#challenges.set(scope, bearer)
    return bearer ?? offered.find((one) => one.scheme === 'basic')
  }

  async #bearer(challenge: Challenge, repository: string | undefined): Promise<Authorization> {
    const credentials = await this.#load(repository)
    if (credentials?.kind === 'bearer-token') {
      return permanent(`Bearer ${credentials.token}`, credentials.from)
    }
    const { registry, clock, ask, lifetime } = this.#options
    const { fetchBearerToken } = await import('./bearer-token.ts')
    const token: BearerToken = await fetchBearerToken(challenge, {
      registry,
      repository,
      credentials,
      clock,
      ask,
      signal: lifetime,
    })
    const from = token.isAnonymous ? undefined : credentials?.from
    return { header: `Bearer ${token.token}`, credentialsFrom: from, renewAt: token.renewAt }
  }

  async #basic(repository: string | undefined): Promise<Authorization | undefined> {
    const credentials = await this.#load(repository)
    if (credentials?.kind === 'bearer-token') {
      return permanent(`Bearer ${credentials.token}`, credentials.from)
    }
    const basic = credentials === undefined ? undefined : basicParameter(credentials)
    if (credentials === undefined || basic === undefined) return undefined
    return permanent(`Basic ${basic}`, credentials.from)
  }

  async #load(repository: string | undefined): Promise<Credentials | undefined> {
    const key = repository ?? ''
    if (this.#credentials.has(key)) return this.#credentials.get(key)
    const { registry, credentials, lifetime } = this.#options
    const loaded = await credentials({
      host: registry.host,
      ...(repository === undefined ? {} : { repository }),
      signal: lifetime,
    })
    this.#credentials.set(key, loaded)
    return loaded
  }

  /** The source hears what the registry said and may give fresh credentials. */
  async #askAgain({ answer, repository }: Refusal): Promise<void> {
    const refused = this.#credentials.get(repository ?? '')
    if (refused === undefined) return
    const { registry, credentials, lifetime } = this.#options
    const message = readErrorBody(answer).message
    const fresh = await credentials({
      host: registry.host,
      refused: { credentials: refused, status: answer.status, message },
      ...(repository === undefined ? {} : { repository }),
      signal: lifetime,
    })
    // all repositories shared what was refused
    if (fresh !== undefined) this.#credentials.clear()
    this.#credentials.set(repository ?? '', fresh)
  }
}

function permanent(header: string, credentialsFrom: string): Authorization {
  return { header, credentialsFrom, renewAt: Number.POSITIVE_INFINITY }
}

/** Leaves a wait that others share, without ending it for them. */
async function unlessAborted<T>(wait: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return wait
  throwIfCancelled(signal, 'the log-in')
  let stop = () => {}
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(cancelled('the log-in', signal.reason))
    signal.addEventListener('abort', stop, { once: true })
  })
  try {
    return await Promise.race([wait, aborted])
  } finally {
    signal.removeEventListener('abort', stop)
  }
}
