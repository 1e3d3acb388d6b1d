/**
 * The credential endpoint of a container (ECS task role, EKS Pod Identity), asked by ourselves. The
 * SDK's own provider (credential-provider-http) has no limit for an answer that never comes: it writes a
 * warning to the console and waits on (`throwOnRequestTimeout` cannot be set from outside), and it knows
 * no signal. Never through a proxy, as there.
 * @see AWS SDKs and Tools Reference Guide, "Container credential provider"; REGISTRY § 2.4
 */
import { readFile } from 'node:fs/promises'
import type { IncomingMessage, RequestOptions } from 'node:http'
import { setTimeout as wait } from 'node:timers/promises'
import { sdkPatience, withinLimits } from './container-request-limit.ts'
import type { AwsCredentialIdentity } from './credential-source.ts'
import type { Environment } from './shared-config.ts'

/** For each attempt, from connecting to the last byte; three of them and two pauses: 6.5 s at most. */
const attemptMs = 2000
const attempts = 3
const pauseMs = 250
const maxAnswerBytes = 64 * 1024

export type ContainerLimits = { readonly attemptMs: number; readonly pauseMs: number }

/** The variable that names the endpoint; the relative one goes first, as in the SDK. */
export function containerVariable(env: Environment): string | undefined {
  return ['AWS_CONTAINER_CREDENTIALS_RELATIVE_URI', 'AWS_CONTAINER_CREDENTIALS_FULL_URI'].find(
    (name) => env[name],
  )
}

/**
 * Asks up to three times; a refusal (4xx) is final.
 * @throws {Error} named CredentialsProviderError, its message fit for people; the signal's reason.
 */
export async function containerCredentials(
  env: Environment,
  signal: AbortSignal,
  limits: ContainerLimits = { attemptMs, pauseMs },
): Promise<AwsCredentialIdentity> {
  const url = endpointOf(env)
  let failure: Error | undefined
  for (let attempt = 1; attempt <= attempts; attempt++) {
    signal.throwIfAborted()
    if (attempt > 1) await wait(limits.pauseMs, undefined, { signal })
    const headers = await authorization(env)
    const answer = await ask(url, headers, { attemptMs: limits.attemptMs, signal }).catch(toError)
    signal.throwIfAborted()
    if (!(answer instanceof Error) && answer.status === 200) return identityOf(answer.text)
    failure = answer instanceof Error ? answer : refusal(answer)
    if (!(answer instanceof Error) && answer.status < 500 && answer.status !== 429) break
  }
  throw failure
}

/** The same limits for what the SDK asks of the endpoint; `ask` gets what its client must be made with. */
export function withContainerLimits<Value>(
  env: Environment,
  signal: AbortSignal,
  ask: (patience: object) => Promise<Value>,
): Promise<Value> {
  const url = endpointOf(env)
  const totalMs = attempts * (attemptMs + pauseMs)
  const silence = () => silentEndpoint(url, attemptMs)
  return withinLimits(url, { attemptMs, totalMs, signal }, () => ask(sdkPatience), silence)
}

const linkLocalHosts = ['169.254.170.2', '169.254.170.23', '[fd00:ec2::23]']

/** Plain http goes to this machine and to the two services of AWS alone, for the answer is a secret. */
function endpointOf(env: Environment): URL {
  const relative = env['AWS_CONTAINER_CREDENTIALS_RELATIVE_URI']
  const text = relative
    ? `http://169.254.170.2${relative}`
    : env['AWS_CONTAINER_CREDENTIALS_FULL_URI']
  if (text === undefined || !URL.canParse(text)) throw providerError('the address is no URL')
  const url = new URL(text)
  const isLoopback = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(url.hostname)
  const isAllowed = isLoopback || linkLocalHosts.includes(url.hostname)
  if (url.protocol === 'https:' || (url.protocol === 'http:' && isAllowed)) return url
  throw providerError(
    `${url.host} is refused: it must be https, this machine, 169.254.170.2 or 169.254.170.23`,
  )
}

/** The file is read for each attempt: EKS renews it. */
async function authorization(env: Environment): Promise<Record<string, string>> {
  const path = env['AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE']
  const token = path ? await tokenFrom(path) : env['AWS_CONTAINER_AUTHORIZATION_TOKEN']
  if (!token) return {}
  if (!/[\r\n]/.test(token)) return { authorization: token }
  throw providerError('its authorization token holds a line break')
}

async function tokenFrom(path: string): Promise<string> {
  try {
    return (await readFile(path, 'utf8')).trimEnd()
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code
    throw providerError(
      `its token file ${path} (AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE) cannot be read (${reason})`,
    )
  }
}

type ContainerAnswer = { readonly status: number; readonly text: string }
type Patience = { readonly attemptMs: number; readonly signal: AbortSignal }

async function ask(
  url: URL,
  headers: Record<string, string>,
  { attemptMs, signal }: Patience,
): Promise<ContainerAnswer> {
  const limit = new AbortController()
  const timer = setTimeout(() => limit.abort(), attemptMs)
  const options = { headers, agent: false, signal: AbortSignal.any([signal, limit.signal]) }
  try {
    const answer = await send(url, options)
    return { status: answer.statusCode ?? 0, text: await textOf(answer) }
  } catch (error) {
    if (!limit.signal.aborted) throw unreachable(url, error)
    throw silentEndpoint(url, attemptMs)
  } finally {
    clearTimeout(timer)
  }
}

function silentEndpoint(url: URL, attemptMs: number): Error {
  return providerError(
    `${url.host} gave no whole answer within ${attemptMs / 1000} s (asked ${attempts} times)`,
  )
}

async function send(url: URL, options: RequestOptions): Promise<IncomingMessage> {
  const { get } = url.protocol === 'https:' ? await import('node:https') : await import('node:http')
  return new Promise((resolve, reject) => {
    get(url, options, resolve).on('error', reject)
  })
}

async function textOf(answer: AsyncIterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = []
  let sizeBytes = 0
  for await (const part of answer) {
    sizeBytes += part.length
    if (sizeBytes > maxAnswerBytes) throw providerError('its answer is longer than 64 KiB')
    parts.push(part)
  }
  return Buffer.concat(parts).toString('utf8')
}

function unreachable(url: URL, error: unknown): Error {
  if (error instanceof Error && error.name === providerErrorName) return error
  const reason = (error as NodeJS.ErrnoException).code ?? 'the connection broke'
  return providerError(`${url.host} cannot be reached (${reason})`)
}

/** The endpoint's own words may be anything, and may hold what is secret: only the status is told. */
function refusal({ status }: ContainerAnswer): Error {
  return providerError(`it answered with status ${status}`)
}

function identityOf(text: string): AwsCredentialIdentity {
  const { AccessKeyId, SecretAccessKey, Token, Expiration, AccountId } = parsed(text)
  const expiration = new Date(typeof Expiration === 'string' ? Expiration : Number.NaN)
  const isComplete = [AccessKeyId, SecretAccessKey, Token].every((one) => typeof one === 'string')
  if (!isComplete || Number.isNaN(expiration.getTime())) {
    throw providerError('its answer lacks AccessKeyId, SecretAccessKey, Token or Expiration')
  }
  return {
    accessKeyId: AccessKeyId as string,
    secretAccessKey: SecretAccessKey as string,
    sessionToken: Token as string,
    expiration,
    ...(typeof AccountId === 'string' ? { accountId: AccountId } : {}),
    $source: { CREDENTIALS_HTTP: 'z' },
  }
}

function parsed(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>
  } catch {
    // told below: the parser's own message would quote the answer
  }
  throw providerError('its answer is no JSON')
}

function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}

const providerErrorName = 'CredentialsProviderError'

function providerError(message: string): Error {
  return Object.assign(new Error(message), { name: providerErrorName })
}
