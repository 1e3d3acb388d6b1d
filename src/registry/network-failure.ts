/**
 * What went wrong below HTTP, dug out of the causes in which undici, ofetch and Node wrap it, and said
 * so that it can be mended. Foreign errors end here: their messages hold URLs with signatures and
 * their options hold tokens (REGISTRY § 0.13), so only the code of the root is kept.
 */
import { cancelled } from '../errors/cancelled.ts'
import { type ErrorCode, isSregistryError, SregistryError } from '../errors/sregistry-error.ts'
import { visibleText } from './visible-text.ts'

export type RequestPlace = {
  /** `host[:port]` that was asked. */
  readonly host: string
  /** `host[:port]` of the proxy in between, if there is one. */
  readonly proxy?: string
}

/** How often a failure may be tried again: as the budget allows, a fixed few times, or never. */
export type RetryRule = { readonly maxRetries: number }

const asBudgetAllows: RetryRule = { maxRetries: Number.POSITIVE_INFINITY }
const never: RetryRule = { maxRetries: 0 }

type Row = {
  readonly code: ErrorCode
  readonly says: string
  readonly rule: RetryRule
  readonly hint?: string
}

const certificateHint =
  'if your site has its own certificate authority: NODE_EXTRA_CA_CERTS=/path/ca.pem (or AWS_CA_BUNDLE)'
const plainHttpHint =
  'a registry without TLS must be set so (SREGISTRY_DOCKERHUB_NOHTTPS, SREGISTRY_AWS_NOHTTPS)'
const busyHint = 'try again; behind a firewall, set HTTPS_PROXY'
const cutHint =
  'run it again; if it stays, a firewall or a proxy cuts the connection: check HTTPS_PROXY and NO_PROXY'

/** Codes of Node, OpenSSL and undici, with what each means to a person. */
const rows: Readonly<Record<string, Row>> = {
  ECONNRESET: {
    code: 'NETWORK',
    says: 'the connection was reset',
    rule: asBudgetAllows,
    hint: cutHint,
  },
  EPIPE: {
    code: 'NETWORK',
    says: 'the connection was closed',
    rule: asBudgetAllows,
    hint: cutHint,
  },
  UND_ERR_SOCKET: {
    code: 'NETWORK',
    says: 'the other side closed the connection',
    rule: asBudgetAllows,
    hint: cutHint,
  },
  ETIMEDOUT: {
    code: 'TIMEOUT',
    says: 'the connection timed out',
    rule: asBudgetAllows,
    hint: busyHint,
  },
  UND_ERR_CONNECT_TIMEOUT: {
    code: 'TIMEOUT',
    says: 'no connection in time',
    rule: asBudgetAllows,
    hint: busyHint,
  },
  UND_ERR_HEADERS_TIMEOUT: {
    code: 'TIMEOUT',
    says: 'it did not answer in time',
    rule: asBudgetAllows,
    hint: busyHint,
  },
  UND_ERR_BODY_TIMEOUT: {
    code: 'TIMEOUT',
    says: 'it stopped sending',
    rule: asBudgetAllows,
    hint: cutHint,
  },
  EAI_AGAIN: {
    code: 'NETWORK',
    says: 'the name server does not answer',
    rule: asBudgetAllows,
    hint: 'check the network and /etc/resolv.conf',
  },
  EMFILE: {
    code: 'NETWORK',
    says: 'this process has too many open files',
    rule: { maxRetries: 3 },
    hint: 'raise ulimit -n',
  },
  ECONNREFUSED: {
    code: 'NETWORK',
    says: 'the connection was refused',
    rule: { maxRetries: 2 },
    hint: 'is it running, and is the port right?',
  },
  ENETUNREACH: {
    code: 'NETWORK',
    says: 'there is no route to it',
    rule: { maxRetries: 2 },
    hint: busyHint,
  },
  EHOSTUNREACH: {
    code: 'NETWORK',
    says: 'there is no route to it',
    rule: { maxRetries: 2 },
    hint: busyHint,
  },
  ENOTFOUND: {
    code: 'NETWORK',
    says: 'there is no host of this name',
    rule: never,
    hint: 'check the registry’s name and its region (SREGISTRY_AWS_ZONE)',
  },
  UND_ERR_HEADERS_OVERFLOW: {
    code: 'PROTOCOL_ERROR',
    says: 'its answer has oversized headers',
    rule: never,
  },
  DEPTH_ZERO_SELF_SIGNED_CERT: {
    code: 'TLS',
    says: 'its certificate is self-signed',
    rule: never,
    hint: certificateHint,
  },
  SELF_SIGNED_CERT_IN_CHAIN: {
    code: 'TLS',
    says: 'its certificate comes from an unknown authority',
    rule: never,
    hint: certificateHint,
  },
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: {
    code: 'TLS',
    says: 'its certificate comes from an unknown authority',
    rule: never,
    hint: certificateHint,
  },
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: {
    code: 'TLS',
    says: 'its certificate comes from an unknown authority',
    rule: never,
    hint: certificateHint,
  },
  CERT_HAS_EXPIRED: {
    code: 'TLS',
    says: 'its certificate has expired',
    rule: never,
    hint: 'check this machine’s clock; otherwise its owner must renew it',
  },
  CERT_NOT_YET_VALID: {
    code: 'TLS',
    says: 'its certificate is not valid yet',
    rule: never,
    hint: 'check this machine’s clock (timedatectl)',
  },
  ERR_TLS_CERT_ALTNAME_INVALID: {
    code: 'TLS',
    says: 'its certificate is for another name',
    rule: never,
    hint: 'check the registry’s name; a login page or proxy may answer in its place',
  },
  // Node's http writes before the handshake has ended, and hears of TLS's failure from that write
  EPROTO: {
    code: 'TLS',
    says: 'it does not speak TLS as it should on this port',
    rule: never,
    hint: plainHttpHint,
  },
  ERR_SSL_WRONG_VERSION_NUMBER: {
    code: 'TLS',
    says: 'it does not speak TLS on this port',
    rule: never,
    hint: plainHttpHint,
  },
}

/** A failure of one attempt: the error to end with, and how often it may be tried again first. */
export type NetworkFailure = { readonly error: SregistryError; readonly rule: RetryRule }

/** Translates what a request threw; an aborted signal is CANCELLED, never a network failure. */
export function networkFailure(
  thrown: unknown,
  place: RequestPlace,
  signal?: AbortSignal,
): NetworkFailure {
  if (signal?.aborted)
    return { error: cancelled(`the request to ${place.host}`, signal.reason), rule: never }
  const chain = causesOf(thrown)
  const own = chain.find(isSregistryError)
  if (own !== undefined)
    return { error: own, rule: own.code === 'TIMEOUT' ? asBudgetAllows : never }
  const refusal = proxyFailure(chain, place)
  if (refusal !== undefined) return refusal
  const code = chain.map(codeOf).findLast((candidate) => candidate !== undefined) ?? ''
  return { error: describe(code, chain, place), rule: ruleOf(code, chain) }
}

function describe(code: string, chain: readonly unknown[], place: RequestPlace): SregistryError {
  const row = Object.hasOwn(rows, code) ? rows[code] : undefined
  const through = place.proxy === undefined ? '' : ` through the proxy ${place.proxy}`
  const to = `${place.host}${through}`
  if (row !== undefined) {
    const hint = unreachable.has(code) ? proxyHint(place) : undefined
    const told = hint ?? row.hint
    const message = `${to}: ${row.says} (${code})`
    return new SregistryError(row.code, message, told === undefined ? {} : { hint: told })
  }
  if (isMalformed(code, chain)) {
    const hint = 'is it a registry, and is http or https right?'
    return new SregistryError('PROTOCOL_ERROR', `${to} does not speak HTTP as it should`, { hint })
  }
  const isBadPort = chain.some((cause) => cause instanceof Error && cause.message === 'bad port')
  const why = isBadPort ? 'fetch refuses this port' : code || 'the request failed'
  return new SregistryError('NETWORK', `${to} could not be reached: ${visibleText(why, 80)}`)
}

/** Where a proxy stands between, these are of the way to the proxy: it alone is connected to. */
const unreachable: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENETUNREACH',
  'EHOSTUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'UND_ERR_CONNECT_TIMEOUT',
])

function proxyHint({ host, proxy }: RequestPlace): string | undefined {
  return proxy === undefined
    ? undefined
    : `is the proxy ${proxy} right and running? it comes from HTTPS_PROXY (or HTTP_PROXY); to go without it add ${host} to NO_PROXY`
}

function ruleOf(code: string, chain: readonly unknown[]): RetryRule {
  if (Object.hasOwn(rows, code)) return rows[code]?.rule ?? never
  if (isMalformed(code, chain)) return { maxRetries: 1 }
  const isTerminated = chain.some(
    (cause) => cause instanceof Error && cause.message === 'terminated',
  )
  return isTerminated ? asBudgetAllows : never
}

/** llhttp's complaints (some without a code), and undici's about lengths that disagree. */
function isMalformed(code: string, chain: readonly unknown[]): boolean {
  if (code.startsWith('HPE_') || code === 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH') return true
  return chain.some((cause) => cause instanceof Error && cause.name === 'HTTPParserError')
}

/** The error when it was the proxy that refused, before the host was asked anything; else undefined. */
export function proxyRefusal(thrown: unknown, place: RequestPlace): SregistryError | undefined {
  return proxyFailure(causesOf(thrown), place)?.error
}

// undici gives neither of its two errors a code (7.30, `lib/dispatcher/proxy-agent.js`): one is for the
// tunnel of https, the other for plain http, which passes a proxy without one. Only the sentence tells.
const proxySentence = /^(?:Proxy response \(|Proxy Authentication Required \()(\d{3})\)/

function proxyStatus(cause: unknown): number | undefined {
  if (!(cause instanceof Error)) return undefined
  const status = proxySentence.exec(cause.message)?.[1]
  return status === undefined ? undefined : Number(status)
}

function proxyFailure(chain: readonly unknown[], place: RequestPlace): NetworkFailure | undefined {
  const status = chain.map(proxyStatus).find((found) => found !== undefined)
  if (status === undefined) return undefined
  const proxy = place.proxy === undefined ? 'the proxy' : `the proxy ${place.proxy}`
  // tinyproxy says 401 to a wrong password
  const isLogin = status === 407 || status === 401
  const says = isLogin ? 'wants a name and a password' : `refused to connect (${status})`
  const hint = isLogin
    ? 'put them before its host in HTTPS_PROXY (or HTTP_PROXY): user:password@host:port'
    : `ask its administrator to allow ${place.host}, or add it to NO_PROXY`
  const error = new SregistryError('NETWORK', `${proxy} ${says} for ${place.host}`, { hint })
  return { error, rule: status >= 500 ? asBudgetAllows : never }
}

/** The error and all that it says it came from, outermost first; bounded, since causes may form a ring. */
function causesOf(thrown: unknown): readonly unknown[] {
  const found: unknown[] = []
  const waiting: unknown[] = [thrown]
  while (waiting.length > 0 && found.length < 20) {
    const next = waiting.shift()
    if (typeof next !== 'object' || next === null || found.includes(next)) continue
    found.push(next)
    if (next instanceof AggregateError) waiting.push(...next.errors)
    if (next instanceof Error && next.cause !== undefined) waiting.push(next.cause)
  }
  return found
}

function codeOf(cause: unknown): string | undefined {
  const code = (cause as { code?: unknown } | undefined)?.code
  return typeof code === 'string' ? code : undefined
}
