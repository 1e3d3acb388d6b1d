/**
 * One HTTP listener on loopback. It refuses foreign Host headers (a web page could otherwise reach
 * it by DNS rebinding), logs what came, and lets faults come between handler and socket.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { TLSSocket } from 'node:tls'
import { SregistryError } from '../errors/sregistry-error.ts'
import type { Fault, Faults, ListenerName } from './fault.ts'
import { faultReply } from './fault-reply.ts'
import { type Reply, textReply } from './reply.ts'
import { writeReply } from './reply-writer.ts'

/** A request after routing: what it wants, and how to answer it. */
export type Route = {
  readonly operation: string
  readonly repository?: string | undefined
  readonly answer: () => Promise<Reply>
}

export type Router = (request: IncomingMessage, url: URL) => Promise<Route>

/** A request as tests want to see it; never its secrets. */
export type RequestRecord = {
  readonly listener: ListenerName
  readonly operation: string
  readonly method: string
  /** Without the query. */
  readonly path: string
  readonly host: string
  readonly hadAuthorization: boolean
  readonly range: string | undefined
  readonly status: number
}

export type ListenerContext = {
  readonly name: ListenerName
  readonly allowedHosts: ReadonlySet<string>
  readonly faults: Faults
  readonly requests: RequestRecord[]
  readonly nowMs: () => number
  readonly route: Router
}

/** What a listener shows of itself, and the key that belongs to it. */
export type Certificate = {
  /** PEM; the chain, its own certificate first. */
  readonly cert: string
  /** PEM. */
  readonly key: string
}

export type BindOptions = {
  readonly host: string
  readonly port: number
  /** Without it: plain http. */
  readonly tls?: Certificate | undefined
}

/**
 * @throws {SregistryError} NETWORK when the port is taken or may not be used; SETTING_INVALID for a
 *   certificate that is none.
 */
export async function bind({ host, port, tls }: BindOptions): Promise<Server> {
  const server = tls === undefined ? createServer() : createSecureServer(tls)
  server.keepAliveTimeout = 5000
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => resolve())
  }).catch((cause: NodeJS.ErrnoException) => {
    throw new SregistryError('NETWORK', `cannot listen on ${host}:${port} (${cause.code})`, {
      hint: 'choose another port, or 0 for any free one',
      cause,
    })
  })
  return server
}

function createSecureServer(tls: Certificate): Server {
  try {
    return createTlsServer(tls)
  } catch (cause) {
    throw new SregistryError('SETTING_INVALID', 'certificate and key do not make a TLS server', {
      hint: 'give both as PEM, the key the one that the certificate was made for',
      cause,
    })
  }
}

export function portOf(server: Server): number {
  return (server.address() as AddressInfo).port
}

/** Begins to answer. Connections end with `closeServer`. */
export function serve(server: Server, context: ListenerContext): void {
  server.on('request', (request, response) => {
    handle(request, response, context).catch((error: unknown) => fail(response, error))
  })
}

/** Ends open connections too; closing twice is harmless. */
export function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}

async function handle(
  request: IncomingMessage,
  response: ServerResponse,
  context: ListenerContext,
): Promise<void> {
  response.setHeader('date', new Date(context.nowMs()).toUTCString())
  const url = urlOf(request)
  if (url === undefined || !context.allowedHosts.has(url.hostname)) {
    await send(request, response, foreignHost, [])
    return
  }
  const route = await context.route(request, url)
  const { name: listener } = context
  const faults = context.faults.take({ listener, ...route })
  if (faults.some((fault) => fault.kind === 'no-range')) delete request.headers.range
  if (faults.some((fault) => fault.kind === 'no-date')) hideDate(response)
  const early = firstReply(faults, listener, url)
  const reply = withoutRanges(early ?? (await route.answer()), faults)
  context.requests.push(recordOf(request, url, listener, route.operation, reply.status))
  await send(request, response, reply, early ? [] : faults)
}

/** Node would put one of its own in place of the one that is taken off. */
function hideDate(response: ServerResponse): void {
  response.removeHeader('date')
  response.sendDate = false
}

async function send(
  request: IncomingMessage,
  response: ServerResponse,
  reply: Reply,
  faults: readonly Fault[],
): Promise<void> {
  // an answer before the end of a large upload: read on, or the client sees a reset and no answer
  request.resume()
  await writeReply(request, response, reply, faults)
}

const foreignHost = textReply(421, 'text/plain', 'this host name is not served here\n')

function urlOf(request: IncomingMessage): URL | undefined {
  const host = request.headers.host ?? ''
  const target = request.url ?? '/'
  const origin = `${request.socket instanceof TLSSocket ? 'https' : 'http'}://${host}`
  const absolute = target.startsWith('/') ? `${origin}${target}` : target
  return URL.canParse(absolute) && URL.canParse(origin) ? new URL(absolute) : undefined
}

function firstReply(faults: readonly Fault[], listener: ListenerName, url: URL): Reply | undefined {
  for (const fault of faults) {
    const reply = faultReply(fault, listener, url)
    if (reply !== undefined) return reply
  }
  return undefined
}

function withoutRanges(reply: Reply, faults: readonly Fault[]): Reply {
  if (!faults.some((fault) => fault.kind === 'no-range')) return reply
  const { 'accept-ranges': _, ...headers } = reply.headers
  return { ...reply, headers }
}

function recordOf(
  request: IncomingMessage,
  url: URL,
  listener: ListenerName,
  operation: string,
  status: number,
): RequestRecord {
  return {
    listener,
    operation,
    method: request.method ?? '',
    path: url.pathname,
    host: url.host,
    hadAuthorization: request.headers.authorization !== undefined,
    range: request.headers.range,
    status,
  }
}

function fail(response: ServerResponse, error: unknown): void {
  if (response.headersSent) {
    response.destroy()
    return
  }
  const reason = error instanceof Error ? error.message : String(error)
  response.writeHead(500, { 'content-type': 'text/plain' }).end(`local ECR: ${reason}\n`)
}
