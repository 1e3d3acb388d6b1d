/**
 * Every failure of the AWS SDK as an error of ours. The SDK's own error object is never kept: it
 * drags the raw answer along (`$response`), and a mangled answer may hold a token.
 * @see REGISTRY § 1.2
 */
import { cancelled } from '../errors/cancelled.ts'
import { isSregistryError, SregistryError } from '../errors/sregistry-error.ts'
import { networkFailure, type RequestPlace } from '../registry/network-failure.ts'
import { visibleText } from '../registry/visible-text.ts'
import { controlPlaneHost } from './partition.ts'
import { credentialsOperation, type SdkErrorContext } from './sdk-error-context.ts'
import { credentialErrorNames, type SdkErrorRule, sdkErrorRules } from './sdk-error-rules.ts'
import type { UnansweredRequest } from './sdk-request-handler.ts'

/**
 * Translates what `ECRClient.send` or its credential provider threw.
 * An error that is ours already passes unchanged.
 */
export function translateSdkError(error: unknown, context: SdkErrorContext): SregistryError {
  if (isSregistryError(error)) return error
  if (context.signal?.aborted) return cancelled(describeCall(context))
  const { name, message } = namedError(error)
  const { unanswered } = context
  // the SSO provider has put the network's error into words of its own
  if (name === 'CredentialsProviderError' && unanswered !== undefined) {
    return translateUnanswered(unanswered, context)
  }
  const rule = isMissingFile(error)
    ? sdkErrorRules['CredentialsProviderError']
    : sdkErrorRules[name]
  if (rule !== undefined) return applyRule(rule, name, message, error, context)
  if (hasAnswered(error)) return unknownError(name, message, error, context)
  const place = unanswered?.error === error ? unanswered?.place : undefined
  return networkFailure(error, place ?? placeAsked(context), context.signal).error
}

function translateUnanswered(
  { error, place }: UnansweredRequest,
  { signal }: SdkErrorContext,
): SregistryError {
  return isSregistryError(error) ? error : networkFailure(error, place, signal).error
}

// Two providers let the file system's own error through: web identity and `aws login` sessions.
function isMissingFile(error: unknown): boolean {
  return error instanceof Error && (error as NodeJS.ErrnoException).code === 'ENOENT'
}

/** Whether AWS spoke at all: errors below HTTP have neither status nor fault. */
export function hasAnswered(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  return metadataOf(error)?.httpStatusCode !== undefined || '$fault' in error
}

/** Whether the SDK found no credentials, or AWS refused those it had. */
export function isCredentialFailure(error: unknown): boolean {
  return credentialErrorNames.has(namedError(error).name)
}

/** In words, what was asked of whom: `DescribeImages in us-east-1`. */
function describeCall({ operation, region }: SdkErrorContext): string {
  return operation === credentialsOperation
    ? 'looking for AWS credentials'
    : `${operation} in ${region}`
}

function applyRule(
  rule: SdkErrorRule,
  name: string,
  message: string,
  error: unknown,
  context: SdkErrorContext,
): SregistryError {
  const { code, text, hint } = rule({ name, message: readable(message), context })
  return new SregistryError(code, text, { hint, cause: safeCause(error) })
}

function unknownError(
  name: string,
  message: string,
  error: unknown,
  context: SdkErrorContext,
): SregistryError {
  const said = name === 'SyntaxError' ? 'the answer is no JSON' : `${name}: ${readable(message)}`
  return new SregistryError('REGISTRY_ERROR', `${describeCall(context)} failed: ${said}`, {
    hint: requestHint(error),
    cause: safeCause(error),
  })
}

function requestHint(error: unknown): string {
  const requestId = metadataOf(error)?.requestId
  const named = requestId === undefined ? '' : ` (request id ${requestId})`
  return `try again; if it stays, AWS support can look it up${named}`
}

/** The name and message of anything thrown; the SDK has cut namespaces (`com.amazonaws.ecr#X`) by now. */
function namedError(error: unknown): { readonly name: string; readonly message: string } {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error) }
  return { name: error.name, message: error.message }
}

/**
 * A message fit for people: no control characters, no queries of URLs, and nothing of the canonical
 * request that a signature error repeats (its `x-amz-security-token` line is a secret).
 */
function readable(message: string): string {
  const start = message.split(/The Canonical String|The String-to-Sign|The canonical/i)[0] ?? ''
  const withoutQueries = start
    .replace(/(https?:\/\/)(?:[^\s/@]+@)?([^\s?#'"]+)[?#][^\s'"]*/g, '$1$2')
    .replace(/(https?:\/\/)[^\s/@]+@/g, '$1')
    .replace(/\s+/g, ' ')
    .trim()
  return visibleText(withoutQueries, 1000)
}

type Metadata = { readonly httpStatusCode?: number; readonly requestId?: string }

function metadataOf(error: unknown): Metadata | undefined {
  return error instanceof Error ? (error as { $metadata?: Metadata }).$metadata : undefined
}

/**
 * What may be kept of an SDK error for `--debug`: name, message, status, request id and stack. A
 * SyntaxError's message quotes the answer it could not parse, so that is left out.
 */
function safeCause(error: unknown): Error {
  const { name, message } = namedError(error)
  const cause = new Error(
    name === 'SyntaxError' ? 'the answer could not be parsed' : readable(message),
  )
  cause.name = name
  const { httpStatusCode, requestId } = metadataOf(error) ?? {}
  return Object.assign(cause, {
    ...(httpStatusCode === undefined ? {} : { httpStatusCode }),
    ...(requestId === undefined ? {} : { requestId }),
  })
}

function placeAsked({ endpoint, region, proxy }: SdkErrorContext): RequestPlace {
  const host = endpoint === undefined ? controlPlaneHost(region) : new URL(endpoint).host
  return proxy === undefined ? { host } : { host, proxy }
}
