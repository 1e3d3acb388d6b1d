/**
 * The token that opens `/v2/`: one GetAuthorizationToken for all downloads, asked again when half its
 * life is over (the rule of amazon-ecr-credential-helper: 6 of 12 hours, so that a long pull never
 * starts on a token's last minutes), or at once when the registry says it has expired.
 * @see REGISTRY §§ 1.1, 3
 */
import { throwIfCancelled } from '../errors/cancelled.ts'
import { SregistryError } from '../errors/sregistry-error.ts'
import { untilAborted } from '../errors/until-aborted.ts'
import type { EcrControlPlane } from './ecr-client.ts'
import { Secret } from './secret.ts'

export type AuthorizationToken = {
  readonly username: 'AWS'
  readonly password: Secret
  /** The token as ECR gave it: the parameter of `Authorization: Basic`. */
  readonly basic: Secret
  readonly obtainedAt: Date
  readonly expiresAt: Date
  /** Host of the registry it was given for, from `proxyEndpoint`; its URL scheme apart. */
  readonly registryHost: string
  readonly registryUrl: string
}

/** Where a token may be kept between runs. */
export type AuthorizationTokenCache = {
  readonly read: () => Promise<AuthorizationToken | undefined>
  readonly write: (token: AuthorizationToken) => Promise<void>
}

export type AuthorizationTokenSourceOptions = {
  /** Kept between runs only when the user asked for it. Default: memory alone. */
  readonly cache?: AuthorizationTokenCache
  /** The time, in milliseconds. Default: the system's. */
  readonly now?: () => number
}

/** Gives the same token to everybody until it needs another. */
export class AuthorizationTokenSource {
  readonly #controlPlane: EcrControlPlane
  readonly #cache: AuthorizationTokenCache | undefined
  readonly #now: () => number
  #token: AuthorizationToken | undefined
  #pending: Promise<AuthorizationToken> | undefined

  constructor(controlPlane: EcrControlPlane, options: AuthorizationTokenSourceOptions = {}) {
    this.#controlPlane = controlPlane
    this.#cache = options.cache
    this.#now = options.now ?? Date.now
  }

  /**
   * A token that is good for at least half its life. When a renewal fails and the old token is still
   * good, that one is given: a pull does not die of a control plane that is away for a moment.
   * @param signal Ends this caller's wait; the request goes on for the others.
   * @throws {SregistryError} as `EcrControlPlane.call`.
   */
  async get(signal?: AbortSignal): Promise<AuthorizationToken> {
    const held = this.#token ?? (await this.#fromCache())
    if (held !== undefined && this.#now() < renewalTime(held)) return held
    try {
      return await waitFor(this.#renewOnce(), signal)
    } catch (error) {
      if (held === undefined || signal?.aborted || this.#now() >= held.expiresAt.getTime())
        throw error
      return held
    }
  }

  /**
   * Another token than the one that was refused. Asked by many downloads at once, ECR is asked once;
   * who comes late, with a token that was replaced meanwhile, gets the new one.
   * @param refusedBasic The token as it was sent.
   * @throws {SregistryError} as `EcrControlPlane.call`.
   */
  async renew(refusedBasic: string, signal?: AbortSignal): Promise<AuthorizationToken> {
    if (this.#token?.basic.reveal() === refusedBasic) this.#token = undefined
    return this.#token ?? (await waitFor(this.#renewOnce(), signal))
  }

  async #fromCache(): Promise<AuthorizationToken | undefined> {
    const cached = await this.#cache?.read()
    if (cached !== undefined && this.#now() < renewalTime(cached)) this.#token ??= cached
    return this.#token
  }

  #renewOnce(): Promise<AuthorizationToken> {
    this.#pending ??= this.#renew().finally(() => {
      this.#pending = undefined
    })
    return this.#pending
  }

  async #renew(): Promise<AuthorizationToken> {
    const token = await requestToken(this.#controlPlane, this.#now)
    this.#token = token
    await this.#cache?.write(token)
    return token
  }
}

/** Half-way between receipt and end. */
function renewalTime({ obtainedAt, expiresAt }: AuthorizationToken): number {
  return (obtainedAt.getTime() + expiresAt.getTime()) / 2
}

async function requestToken(
  controlPlane: EcrControlPlane,
  now: () => number,
): Promise<AuthorizationToken> {
  const { authorizationData } = await controlPlane.call({
    operation: 'GetAuthorizationToken',
    run: (client, sdk) => client.send(new sdk.GetAuthorizationTokenCommand({})),
  })
  const { authorizationToken, expiresAt, proxyEndpoint } = authorizationData?.[0] ?? {}
  if (!authorizationToken || !expiresAt || !proxyEndpoint) {
    throw malformedToken(controlPlane.region)
  }
  return decodeToken({
    basic: authorizationToken,
    obtainedAt: new Date(now()),
    expiresAt,
    registryUrl: proxyEndpoint,
  })
}

export type EncodedToken = {
  readonly basic: string
  readonly obtainedAt: Date
  readonly expiresAt: Date
  readonly registryUrl: string
}

/**
 * @throws {SregistryError} PROTOCOL_ERROR when it is not base64 of `AWS:password`, or the URL is none.
 */
export function decodeToken(encoded: EncodedToken): AuthorizationToken {
  const text = Buffer.from(encoded.basic, 'base64').toString('utf8')
  const password = text.startsWith('AWS:') ? text.slice('AWS:'.length) : ''
  if (password === '' || !URL.canParse(encoded.registryUrl)) throw malformedToken('')
  return {
    username: 'AWS',
    password: new Secret(password),
    basic: new Secret(encoded.basic),
    obtainedAt: encoded.obtainedAt,
    expiresAt: encoded.expiresAt,
    registryHost: new URL(encoded.registryUrl).host,
    registryUrl: encoded.registryUrl.replace(/\/+$/, ''),
  }
}

function malformedToken(region: string): SregistryError {
  const where = region === '' ? '' : ` in ${region}`
  return new SregistryError('PROTOCOL_ERROR', `ECR${where} gave no usable authorization token`, {
    hint: 'is AWS_ENDPOINT_URL_ECR the address of an ECR?',
  })
}

/** Lets one caller leave while the work goes on for the others. */
async function waitFor<Value>(
  work: Promise<Value>,
  signal: AbortSignal | undefined,
): Promise<Value> {
  try {
    return await untilAborted(work, signal)
  } catch (error) {
    throwIfCancelled(signal, 'waiting for an ECR token')
    throw error
  }
}
