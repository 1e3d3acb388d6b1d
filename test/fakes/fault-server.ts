/**
 * A loopback HTTP server that follows a script: each request takes the next step, and the last step
 * stays. Steps write raw sockets where HTTP itself must break. It keeps what it was asked, and when.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'

export type Seen = {
  readonly method: string
  readonly url: string
  readonly headers: IncomingMessage['headers']
}

export type Step = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>

export class FaultServer implements AsyncDisposable {
  readonly seen: Seen[] = []
  readonly host: string
  readonly origin: string
  readonly #server: Server
  readonly #sockets: Set<Socket>
  /** Steps by path prefix; a path without steps gets 404. */
  readonly #scripts = new Map<string, Step[]>()

  private constructor(server: Server, sockets: Set<Socket>, hostname: string) {
    this.#server = server
    this.#sockets = sockets
    this.host = `${hostname}:${(server.address() as AddressInfo).port}`
    this.origin = `http://${this.host}`
    server.on('request', (request, response) => void this.#answer(request, response))
  }

  /** @param hostname How clients are to name it: `127.0.0.1`, or `localhost` to be another origin. */
  static async start(hostname = '127.0.0.1'): Promise<FaultServer> {
    const server = createServer({ keepAliveTimeout: 2000 })
    const sockets = new Set<Socket>()
    server.on('connection', (socket) => {
      sockets.add(socket)
      socket.on('close', () => sockets.delete(socket))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return new FaultServer(server, sockets, hostname)
  }

  /** What a path is answered with, request by request. */
  on(path: string, ...steps: Step[]): this {
    this.#scripts.set(path, steps)
    return this
  }

  paths(): string[] {
    return this.seen.map((request) => request.url)
  }

  requestsTo(prefix: string): readonly Seen[] {
    return this.seen.filter((request) => request.url.startsWith(prefix))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise<void>((resolve) => this.#server.close(() => resolve()))
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.seen.push({
      method: request.method ?? '',
      url: request.url ?? '',
      headers: request.headers,
    })
    const path = (request.url ?? '').split('?')[0] ?? ''
    const prefix = [...this.#scripts.keys()]
      .filter((candidate) => path.startsWith(candidate))
      .sort((a, b) => b.length - a.length)[0]
    const steps = prefix === undefined ? undefined : this.#scripts.get(prefix)
    const step = steps !== undefined && steps.length > 1 ? steps.shift() : steps?.[0]
    await (step ?? status(404))(request, response)
  }
}

type Headers = Readonly<Record<string, string | readonly string[]>>

/** A whole answer. */
export function reply(body: string | Uint8Array, headers: Headers = {}, code = 200): Step {
  return (_, response) => {
    const bytes = Buffer.from(body)
    response.writeHead(code, { 'content-length': bytes.length, ...(headers as object) })
    response.end(bytes)
  }
}

export function status(code: number, headers: Headers = {}, body = ''): Step {
  return reply(body, headers, code)
}

/** An error as registries write it. */
export function registryFault(
  code: number,
  name: string,
  message = '',
  headers: Headers = {},
): Step {
  const body = JSON.stringify({ errors: [{ code: name, message }] })
  return reply(body, { 'content-type': 'application/json', ...headers }, code)
}

export function redirectTo(location: string, code = 307): Step {
  return status(code, { location })
}

/** Bytes as a well-behaved store serves them: Range gives 206 or 416. */
export function ranged(bytes: Uint8Array, headers: Headers = {}): Step {
  return (request, response) => {
    const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? Number.NaN)
    if (Number.isNaN(start)) return reply(bytes, headers)(request, response)
    if (start >= bytes.length) {
      return status(416, { 'content-range': `bytes */${bytes.length}` })(request, response)
    }
    const range = `bytes ${start}-${bytes.length - 1}/${bytes.length}`
    return reply(
      bytes.subarray(start),
      { 'content-range': range, ...headers },
      206,
    )(request, response)
  }
}

/** Promises all the bytes, sends some from the asked offset on, and resets the connection. */
export function resetAfter(bytes: Uint8Array, count: number): Step {
  return cut(bytes, count, (response) => response.socket?.resetAndDestroy())
}

/** The same with an orderly end of the connection. */
export function finishAfter(bytes: Uint8Array, count: number): Step {
  return cut(bytes, count, (response) => response.socket?.end())
}

/** Sends some bytes and then nothing more. */
export function stallAfter(bytes: Uint8Array, count: number): Step {
  return cut(bytes, count, () => undefined)
}

/** An answer without length and chunks, as of HTTP/1.0: where it ends, it ends. */
export function closeDelimited(bytes: Uint8Array): Step {
  return (request) => {
    const { socket } = request
    socket.write('HTTP/1.0 200 OK\r\nContent-Type: application/octet-stream\r\n\r\n')
    socket.end(bytes)
  }
}

/** Whatever bytes, HTTP or not. */
export function rawAnswer(text: string): Step {
  return (request) => void request.socket.end(text, 'latin1')
}

function cut(bytes: Uint8Array, count: number, end: (response: ServerResponse) => void): Step {
  return (request, response) => {
    const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0)
    const range = { 'content-range': `bytes ${start}-${bytes.length - 1}/${bytes.length}` }
    response.writeHead(start === 0 ? 200 : 206, {
      'content-length': bytes.length - start,
      ...(start === 0 ? {} : range),
    })
    response.flushHeaders()
    response.write(bytes.subarray(start, start + count), () => setImmediate(end, response))
  }
}
