/**
 * The SDK's requests over our own HTTP layer, so that proxies, CA bundles and time limits are those
 * of the data plane. The SDK hands the same handler to its inner STS and SSO clients; instance and
 * container metadata do not pass through it, and must not: they are never to be proxied.
 * @see REGISTRY § 2.3
 */
import { Readable } from 'node:stream'
import type { ECRClientConfig } from '@aws-sdk/client-ecr'
import type { Dispatcher } from 'undici'
import { SregistryError } from '../errors/sregistry-error.ts'
import { proxyRefusal, type RequestPlace } from '../registry/network-failure.ts'

/** What the control plane needs of the HTTP layer. */
export type SdkTransport = {
  /** The dispatcher that all requests use: proxies, CA bundle and time limits are its own. */
  readonly dispatcher: () => Dispatcher | Promise<Dispatcher>
  /** `host[:port]` of the proxy that a URL passes through, without its password. */
  readonly proxyOf: (url: URL) => string | undefined
}

/** What an answer said of the server's clock. */
export type ServerClock = { readonly serverTime: Date; readonly ownTime: Date }

/** A request that got no answer, and of whom it was asked: ECR, or the service credentials come from. */
export type UnansweredRequest = { readonly error: unknown; readonly place: RequestPlace }

export type SdkRequestHandlerOptions = {
  /** Called with each request that got no whole answer, before the SDK wraps its error or tries again. */
  readonly onUnanswered?: (request: UnansweredRequest) => void
  /** Called with each answer that has a `Date` header. */
  readonly onClock?: (clock: ServerClock) => void
  /** The time, in milliseconds. Default: the system's. */
  readonly now?: () => number
  /** Most bytes of an answer. Default: 64 MiB, ten times a full page of DescribeImages. */
  readonly maxAnswerBytes?: number
}

export type SdkRequestHandler = NonNullable<ECRClientConfig['requestHandler']>

type SdkRequest = {
  readonly protocol: string
  readonly hostname: string
  readonly port?: number
  readonly path: string
  readonly method: string
  readonly query?: Readonly<Record<string, string | readonly string[] | null>>
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
}
type SdkAnswer = {
  response: { statusCode: number; headers: Record<string, string>; body: Readable }
}

/** A `requestHandler` for any AWS SDK v3 client. The dispatcher belongs to the transport: `destroy` leaves it open. */
export function createSdkRequestHandler(
  transport: SdkTransport,
  options: SdkRequestHandlerOptions = {},
): SdkRequestHandler {
  const handler = {
    metadata: { handlerProtocol: 'http/1.1' },
    handle: (request: SdkRequest, { abortSignal }: { abortSignal?: AbortSignal } = {}) =>
      exchange(transport, request, abortSignal, options).catch((error: unknown) => {
        options.onUnanswered?.({ error, place: placeOf(transport, urlOf(request)) })
        throw error
      }),
    updateHttpClientConfig(): void {},
    httpHandlerConfigs: () => ({}),
    destroy(): void {},
  }
  return handler as unknown as SdkRequestHandler
}

async function exchange(
  transport: SdkTransport,
  request: SdkRequest,
  signal: AbortSignal | undefined,
  options: SdkRequestHandlerOptions,
): Promise<SdkAnswer> {
  const dispatcher = await transport.dispatcher()
  const { request: send } = await import('undici')
  const url = urlOf(request)
  const answer = await send(url, {
    dispatcher,
    method: request.method as Dispatcher.HttpMethod,
    headers: request.headers,
    ...(request.body === undefined ? {} : { body: request.body }),
    ...(signal === undefined ? {} : { signal }),
  }).catch((error: unknown) => {
    throw proxyRefusal(error, placeOf(transport, url)) ?? error
  })
  const headers = flatHeaders(answer.headers)
  reportClock(headers['date'], options)
  const body = await readBounded(answer.body, options.maxAnswerBytes ?? 64 * 2 ** 20)
  if (/^\s*text\/html/i.test(headers['content-type'] ?? '')) {
    throw htmlAnswer(request.hostname, answer.statusCode)
  }
  return { response: { statusCode: answer.statusCode, headers, body: Readable.from([body]) } }
}

function placeOf(transport: SdkTransport, url: URL): RequestPlace {
  const proxy = transport.proxyOf(url)
  return { host: url.host, ...(proxy === undefined ? {} : { proxy }) }
}

function urlOf({ protocol, hostname, port, path, query }: SdkRequest): URL {
  const url = new URL(`${protocol}//${hostname}${port === undefined ? '' : `:${port}`}${path}`)
  for (const [name, value] of Object.entries(query ?? {})) {
    for (const one of Array.isArray(value) ? value : [value])
      url.searchParams.append(name, one ?? '')
  }
  return url
}

function flatHeaders(headers: Dispatcher.ResponseData['headers']): Record<string, string> {
  const flat: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) flat[name] = Array.isArray(value) ? value.join(', ') : value
  }
  return flat
}

function reportClock(date: string | undefined, options: SdkRequestHandlerOptions): void {
  const serverTime = new Date(date ?? Number.NaN)
  if (Number.isNaN(serverTime.getTime())) return
  options.onClock?.({ serverTime, ownTime: new Date(options.now?.() ?? Date.now()) })
}

async function readBounded(body: AsyncIterable<Uint8Array>, maxBytes: number): Promise<Buffer> {
  const parts: Uint8Array[] = []
  let sizeBytes = 0
  for await (const part of body) {
    sizeBytes += part.length
    if (sizeBytes > maxBytes) {
      throw new SregistryError('LIMIT_EXCEEDED', `the answer is longer than ${maxBytes} bytes`)
    }
    parts.push(part)
  }
  return Buffer.concat(parts, sizeBytes)
}

function htmlAnswer(host: string, status: number): SregistryError {
  return new SregistryError('PROTOCOL_ERROR', `${host} answered HTML (status ${status}), not AWS`, {
    hint: 'a proxy or a login page stands in between: check HTTPS_PROXY and NO_PROXY, or log in to the network',
  })
}
