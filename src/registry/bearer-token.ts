/**
 * Tokens from a registry's token server (distribution `spec/auth/token.md`, `oauth.md`): asked for by
 * the challenge, anonymously or with a name, and bound to one repository and the action `pull`.
 */
import { SregistryError } from '../errors/sregistry-error.ts'
import type { Challenge } from './challenge.ts'
import type { Clock } from './clock.ts'
import { basicParameter, type Credentials } from './credentials.ts'
import { isJsonObject, own } from './json-document.ts'
import { bareMediaType } from './media-types.ts'
import { checkRealm } from './realm-rule.ts'
import { isRetriedStatus } from './retry.ts'
import type { SmallAnswer, SmallRequest } from './transport.ts'

export type BearerToken = {
  readonly token: string
  /** Milliseconds since the epoch, by our clock, already early enough to renew in time. */
  readonly renewAt: number
  readonly isAnonymous: boolean
}

export type TokenContext = {
  /** The registry's own URL. */
  readonly registry: URL
  readonly repository: string | undefined
  readonly credentials: Credentials | undefined
  readonly clock: Clock
  /** Sends with retries; statuses come back as they are. */
  readonly ask: (request: SmallRequest) => Promise<SmallAnswer>
  readonly signal?: AbortSignal
}

const maxTokenBytes = 1024 * 1024
const tokenTimeoutMs = 30_000
const maxParameterCharacters = 1024
/** What a token without `expires_in` is good for (token.md). */
const defaultLifetimeSeconds = 60
const renewEarlyMs = 10_000

/**
 * @throws {SregistryError} CREDENTIALS_INVALID, ACCESS_DENIED, THROTTLED, PROTOCOL_ERROR; NETWORK and its like.
 */
export async function fetchBearerToken(
  challenge: Challenge,
  context: TokenContext,
): Promise<BearerToken> {
  const { url, mayHaveCredentials } = checkRealm(
    challenge.parameters['realm'] ?? '',
    context.registry,
  )
  const credentials = mayHaveCredentials ? context.credentials : undefined
  const wanted = wantedScope(challenge, context)
  const answer =
    credentials?.kind === 'identity-token'
      ? await context.ask(refreshRequest(url, wanted, credentials.token, context))
      : await context.ask(tokenRequest(url, wanted, credentials, context))
  if (answer.status !== 200) throw refused(answer, url, credentials, context)
  return readToken(answer, url, credentials === undefined, context.clock)
}

type Wanted = { readonly service: string | undefined; readonly scope: string | undefined }

/** A registry names the scope; one that names a repository must name ours (FAULTS § 7). */
function wantedScope(challenge: Challenge, context: TokenContext): Wanted {
  const service = challenge.parameters['service']
  const named = challenge.parameters['scope']
  const fallback =
    context.repository === undefined ? undefined : `repository:${context.repository}:pull`
  const isOurs =
    named === undefined ||
    !named.startsWith('repository:') ||
    (context.repository !== undefined && named.startsWith(`repository:${context.repository}:`))
  const isLong = [service, named].some((text) => (text?.length ?? 0) > maxParameterCharacters)
  if (!isOurs || isLong) {
    const message = `${context.registry.host} asks for a log-in to something else than ${context.repository}`
    throw new SregistryError('PROTOCOL_ERROR', message)
  }
  // the registry may name more than is needed: `pull,push` is asked of nobody who only pulls
  const scope = named?.startsWith('repository:') ? fallback : (named ?? fallback)
  return { service, scope }
}

function tokenRequest(
  realm: URL,
  wanted: Wanted,
  credentials: Credentials | undefined,
  context: TokenContext,
): SmallRequest {
  const url = new URL(realm)
  if (wanted.service !== undefined) url.searchParams.set('service', wanted.service)
  if (wanted.scope !== undefined) url.searchParams.set('scope', wanted.scope)
  const basic = credentials === undefined ? undefined : basicParameter(credentials)
  return {
    method: 'GET',
    url,
    headers: {
      accept: 'application/json',
      ...(basic === undefined ? {} : { authorization: `Basic ${basic}` }),
    },
    ...limitsOf(context),
  }
}

function refreshRequest(
  url: URL,
  wanted: Wanted,
  refreshToken: string,
  context: TokenContext,
): SmallRequest {
  const form = new URLSearchParams({
    grant_type: 'refresh_token',
    refresh_token: refreshToken,
    client_id: 'sregistry',
  })
  if (wanted.service !== undefined) form.set('service', wanted.service)
  if (wanted.scope !== undefined) form.set('scope', wanted.scope)
  return {
    method: 'POST',
    url,
    headers: {
      accept: 'application/json',
      'content-type': 'application/x-www-form-urlencoded',
    },
    body: form.toString(),
    ...limitsOf(context),
  }
}

function limitsOf(context: TokenContext) {
  return {
    maxBytes: maxTokenBytes,
    timeoutMs: tokenTimeoutMs,
    ...(context.signal === undefined ? {} : { signal: context.signal }),
  }
}

function readToken(
  answer: SmallAnswer,
  realm: URL,
  isAnonymous: boolean,
  clock: Clock,
): BearerToken {
  const document = readJson(answer, realm)
  const token = own(document, 'token') ?? own(document, 'access_token')
  if (typeof token !== 'string' || !/^[\x21-\x7e]+$/.test(token)) throw notAToken(realm)
  const said = own(document, 'expires_in')
  const isLifetime = typeof said === 'number' && Number.isFinite(said) && said > 0
  const lifetimeMs = (isLifetime ? said : defaultLifetimeSeconds) * 1000
  // counted from receipt: `issued_at` is by a clock that may differ from ours
  const renewAt = clock.now() + lifetimeMs - Math.min(renewEarlyMs, lifetimeMs / 2)
  return { token, renewAt, isAnonymous }
}

function readJson(answer: SmallAnswer, realm: URL) {
  try {
    const document: unknown = JSON.parse(new TextDecoder().decode(answer.bytes))
    if (isJsonObject(document)) return document
  } catch {
    // not JSON: told below, without the body, which may hold half a token
  }
  const type = bareMediaType(answer.headers['content-type'] ?? '')
  if (type !== 'text/html') throw notAToken(realm)
  throw new SregistryError(
    'PROTOCOL_ERROR',
    `${realm.host} answered with a web page instead of a token`,
    { hint: 'a login page or a proxy may stand in between' },
  )
}

function notAToken(realm: URL): SregistryError {
  return new SregistryError('PROTOCOL_ERROR', `${realm.host} answered without a token`)
}

function refused(
  answer: SmallAnswer,
  realm: URL,
  credentials: Credentials | undefined,
  context: TokenContext,
): SregistryError {
  if (answer.status === 429) {
    return new SregistryError('THROTTLED', `${realm.host} hands out no more tokens for now`)
  }
  if (isRetriedStatus(answer.status) || ![400, 401, 403].includes(answer.status)) {
    const message = `the token server ${realm.host} answered ${answer.status}`
    return new SregistryError('REGISTRY_ERROR', message)
  }
  const thing = context.repository ?? context.registry.host
  if (credentials === undefined) {
    const message = `${realm.host} gives no token for ${thing} without a log-in`
    return new SregistryError('CREDENTIALS_MISSING', message, {
      hint: `log in first: docker login ${context.registry.host}`,
    })
  }
  const message = `${realm.host} refused the credentials from ${credentials.from}`
  return new SregistryError('CREDENTIALS_INVALID', message, {
    hint: `log in again: docker login ${context.registry.host}`,
  })
}
