/**
 * A registry's answers that are no success, told in our words (distribution spec § Error codes). Its
 * own text is shown cut, sanitised and without secrets; what decides is the code, never the prose.
 */

import { redact } from '../errors/redact.ts'
import { type ErrorCode, SregistryError } from '../errors/sregistry-error.ts'
import { parseEcrAddress } from './ecr-host.ts'
import { isJsonObject, own } from './json-document.ts'
import { bareMediaType } from './media-types.ts'
import { fewerAtATime, laterHint, storageError } from './storage-answer.ts'
import type { SmallAnswer } from './transport.ts'
import { visibleText } from './visible-text.ts'

export type RegistryErrorBody = {
  /** `NAME_UNKNOWN`, `DENIED`, …; undefined when the body is none of a registry. */
  readonly code: string | undefined
  /** Safe to show, at most 512 characters; may be empty. */
  readonly message: string
}

export type AskedFor = {
  /** `host[:port]` of the registry. */
  readonly host: string
  readonly repository: string
  /** What was asked for, for people: `library/busybox:1.36`. */
  readonly what: string
  readonly kind: 'manifest' | 'blob' | 'tags' | 'registry'
  /** Whose credentials were shown; undefined when none. */
  readonly credentialsFrom?: string
  /** `host[:port]` that the registry sent us to, when the answer is from there; layers are kept so. */
  readonly storage?: string
}

/** The first error of the body, or its plain text. */
export function readErrorBody(answer: SmallAnswer): RegistryErrorBody {
  const text = new TextDecoder().decode(answer.bytes)
  const first = firstError(text)
  if (first === undefined) {
    const isPage = isWebPage(answer)
    return { code: undefined, message: isPage ? '' : shown(text.trim()) }
  }
  const code = own(first, 'code')
  const message = own(first, 'message')
  return {
    code: typeof code === 'string' ? code.toUpperCase() : undefined,
    message: typeof message === 'string' ? shown(message) : '',
  }
}

export function isWebPage(answer: SmallAnswer): boolean {
  const type = bareMediaType(answer.headers['content-type'] ?? '')
  if (type === 'text/html' || type === 'application/xhtml+xml') return true
  const start = new TextDecoder().decode(answer.bytes.subarray(0, 256)).trimStart().toLowerCase()
  return start.startsWith('<!doctype html') || start.startsWith('<html')
}

/** Whether a refusal means that the token is over, in any of ECR's wordings and statuses. */
export function saysExpired(answer: SmallAnswer): boolean {
  return /expired/i.test(new TextDecoder().decode(answer.bytes))
}

/** The error that an answer which is no success ends with. */
export function registryError(answer: SmallAnswer, asked: AskedFor): SregistryError {
  const body = readErrorBody(answer)
  const said = body.message === '' ? '' : `: ${body.message}`
  if (isWebPage(answer)) return webPage(answer, asked)
  if (asked.storage !== undefined) return storageError(answer, asked, asked.storage)
  if (answer.status === 429 || body.code === 'TOOMANYREQUESTS') {
    const hint = throttleHint(asked)
    return new SregistryError('THROTTLED', `${asked.host} asks for fewer requests${said}`, { hint })
  }
  if (answer.status === 401) return notLoggedIn(asked, said, saysExpired(answer))
  if (answer.status === 403) return denied(asked, said, saysExpired(answer))
  if (answer.status === 404) return missing(asked, body, said)
  if (answer.status >= 300 && answer.status < 400) {
    return new SregistryError('PROTOCOL_ERROR', `${asked.host} redirects ${asked.what} elsewhere`)
  }
  const message = `${asked.host} answered ${answer.status} for ${asked.what}${said}`
  const hint = answer.status >= 500 ? { hint: laterHint } : {}
  return new SregistryError('REGISTRY_ERROR', message, hint)
}

/** Who is logged in has the higher limit already; ECR lets nobody in who is not. */
function throttleHint({ host, credentialsFrom }: AskedFor): string {
  const isEcr = parseEcrAddress(host) !== undefined
  return credentialsFrom === undefined && !isEcr
    ? 'wait a while; logging in often raises the limit'
    : fewerAtATime
}

const wantedOf: Readonly<Record<AskedFor['kind'], string>> = {
  manifest: 'a manifest',
  blob: 'a layer',
  tags: 'a list of tags',
  registry: 'an answer of a registry',
}

/** The error for an HTML page where something else should have come. */
export function webPage(answer: SmallAnswer, asked: AskedFor): SregistryError {
  const from = asked.storage ?? asked.host
  const message = `${from} answered with a web page instead of ${wantedOf[asked.kind]} (${answer.status})`
  return new SregistryError('PROTOCOL_ERROR', message, {
    hint: 'a login page or a proxy may stand in between; check the host’s name and HTTPS_PROXY',
  })
}

function notLoggedIn(asked: AskedFor, said: string, isExpired: boolean): SregistryError {
  if (asked.credentialsFrom === undefined) {
    const message = `${asked.host} wants a log-in for ${asked.what}${said}`
    return new SregistryError('CREDENTIALS_MISSING', message, { hint: loginHint(asked) })
  }
  const message = `${asked.host} refused the credentials from ${asked.credentialsFrom}${said}`
  const code: ErrorCode = isExpired ? 'CREDENTIALS_EXPIRED' : 'CREDENTIALS_INVALID'
  return new SregistryError(code, message, { hint: loginHint(asked) })
}

function denied(asked: AskedFor, said: string, isExpired: boolean): SregistryError {
  if (isExpired) return notLoggedIn(asked, said, true)
  const who = asked.credentialsFrom === undefined ? 'without a log-in' : 'for these credentials'
  const message = `${asked.host} does not allow reading ${asked.what} ${who}${said}`
  const hint =
    asked.credentialsFrom === undefined
      ? loginHint(asked)
      : 'ask the owner of the repository for pull access, or use other credentials'
  return new SregistryError('ACCESS_DENIED', message, { hint })
}

/** Absent and private look the same on most registries, so the message says both. */
function missing(asked: AskedFor, body: RegistryErrorBody, said: string): SregistryError {
  const isAnonymous = asked.credentialsFrom === undefined
  const hint = isAnonymous
    ? `check the name; if it is private, ${loginHint(asked)}`
    : 'check the name, the registry and its region'
  if (body.code === 'NAME_UNKNOWN' || asked.kind === 'tags') {
    const message = `there is no repository ${asked.repository} on ${asked.host}${said}`
    return new SregistryError('NAME_UNKNOWN', message, { hint })
  }
  if (asked.kind === 'blob') {
    const message = `${asked.host} does not have ${asked.what}, which its manifest names${said}`
    return new SregistryError('BLOB_UNKNOWN', message, { hint: 'push the image again' })
  }
  if (asked.kind === 'registry') {
    const message = `${asked.host} is no container registry: /v2/ was not found`
    return new SregistryError('PROTOCOL_ERROR', message, { hint: 'check the registry’s host name' })
  }
  const message = `${asked.what} was not found on ${asked.host}${said}`
  return new SregistryError('MANIFEST_UNKNOWN', message, { hint })
}

function loginHint(asked: AskedFor): string {
  return `log in: docker login ${asked.host}`
}

function firstError(text: string) {
  try {
    const document: unknown = JSON.parse(text)
    const errors = isJsonObject(document) ? own(document, 'errors') : undefined
    const first: unknown = Array.isArray(errors) ? errors[0] : document
    return isJsonObject(first) ? first : undefined
  } catch {
    // plain text is allowed for any 4xx
    return undefined
  }
}

function shown(text: string): string {
  return redact(visibleText(text, 512))
}
