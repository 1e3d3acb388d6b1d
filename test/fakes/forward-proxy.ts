/**
 * A forward proxy that leads every name to this machine and is the only way there: a tunnel for https
 * (CONNECT), whole requests for http. It wants a name and a password.
 */
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import type { Duplex } from 'node:stream'

export type ForwardProxy = {
  /** `host:port`, as errors name it. */
  readonly host: string
  /** With name and password, as people set it. */
  readonly url: string
  /** `CONNECT host` or `http host`, in the order they came. */
  readonly asked: string[]
  /** Names that it answers with a status of its own. */
  readonly refusals: Map<string, number>
  /** Ports of this machine that tunnels for these names lead to; default: the port asked for. */
  readonly ports: Map<string, number>
  close(): void
}

export const proxyPassword = 'planted-proxy-password'
const login = `Basic ${btoa(`me:${proxyPassword}`)}`

export async function startForwardProxy(): Promise<ForwardProxy> {
  const asked: string[] = []
  const refusals = new Map<string, number>()
  const ports = new Map<string, number>()
  const sockets = new Set<Duplex>()
  const refusal = (host: string, incoming: IncomingMessage): number | undefined =>
    incoming.headers['proxy-authorization'] === login ? refusals.get(host) : 407

  const server = createServer((incoming, response) => {
    const url = new URL(incoming.url ?? '')
    asked.push(`http ${url.hostname}`)
    const status = refusal(url.hostname, incoming)
    if (status === undefined) forward(url, incoming, response)
    else response.writeHead(status).end()
  })
  server.on('connect', (incoming, socket: Duplex, head: Buffer) => {
    const url = new URL(`https://${incoming.url}`)
    asked.push(`CONNECT ${url.hostname}`)
    sockets.add(socket)
    socket.on('error', () => undefined)
    const status = refusal(url.hostname, incoming)
    if (status !== undefined) socket.end(`HTTP/1.1 ${status} No\r\n\r\n`)
    else tunnel(ports.get(url.hostname) ?? Number(url.port), socket, head)
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    host,
    url: `http://me:${proxyPassword}@${host}`,
    asked,
    refusals,
    ports,
    close: () => {
      for (const socket of sockets) socket.destroy()
      server.closeAllConnections()
      server.close()
    },
  }
}

function forward(url: URL, incoming: IncomingMessage, response: ServerResponse): void {
  const { method, headers } = incoming
  const path = `${url.pathname}${url.search}`
  const outgoing = request(
    { host: '127.0.0.1', port: url.port, path, method, headers },
    (answer) => {
      response.writeHead(answer.statusCode ?? 500, answer.headers)
      answer.pipe(response)
    },
  )
  outgoing.on('error', () => response.destroy())
  incoming.pipe(outgoing)
}

function tunnel(port: number, socket: Duplex, head: Buffer): void {
  const target = connect(port, '127.0.0.1', () => {
    socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
    target.write(head)
    target.pipe(socket).pipe(target)
  })
  target.on('error', () => socket.destroy())
  socket.on('close', () => target.destroy())
}
