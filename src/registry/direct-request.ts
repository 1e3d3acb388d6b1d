/**
 * Small requests that go to their host directly, by Node's own http: it is part of Node's start-up
 * snapshot, so that the first request costs 8 ms above `node -e 0`, where the built-in fetch costs
 * 50 to 100 (Node 20, 2 cores; most of it is the HTTP parser in WebAssembly). It knows no proxies.
 */
import { Agent, type ClientRequest, type IncomingMessage, request } from 'node:http'
import type { Agent as SecureAgent } from 'node:https'
import { addressAttemptMs, type NetworkLimits } from './network-limits.ts'

export type DirectRequest = {
  readonly method: string
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | undefined
  readonly signal: AbortSignal
  /** Called when it has a connection: that of another request may have been waited for. */
  readonly onConnection: () => void
}

/** An idle connection is given up before servers and their balancers usually do. */
const idleConnectionMs = 4000

/** Connections to any number of hosts; whoever makes one closes it. */
export class DirectConnections {
  readonly #limits: NetworkLimits
  readonly #authorities: () => Promise<string[] | undefined>
  readonly #plain: Agent
  #secure: Promise<SecureAgent> | undefined

  /** @param authorities What is trusted beside Node's own, asked for with the first https URL. */
  constructor(limits: NetworkLimits, authorities: () => Promise<string[] | undefined>) {
    this.#limits = limits
    this.#authorities = authorities
    this.#plain = new Agent(agentOptions(limits))
  }

  /**
   * The head of an answer and its body to read: as it came, redirects not followed.
   * @throws what Node throws; the caller translates it.
   */
  async send(wanted: DirectRequest): Promise<IncomingMessage> {
    const { url, method, headers, signal, onConnection } = wanted
    // no header ever comes from a user name in the URL
    const options = { method, headers, signal, joinDuplicateHeaders: true, auth: null }
    const isSecure = url.protocol === 'https:'
    const agent = isSecure ? await this.#secureAgent() : this.#plain
    const send = isSecure ? (await import('node:https')).request : request
    return new Promise((resolve, reject) => {
      const sent = send(url, { ...options, agent })
      limitConnecting(sent, isSecure ? 'secureConnect' : 'connect', this.#limits.connectMs)
      sent.once('socket', onConnection)
      sent.once('response', resolve)
      // stays on: an error after the answer has begun comes out of its body too
      sent.on('error', reject)
      sent.end(wanted.body)
    })
  }

  /** Twice is harmless. */
  async close(): Promise<void> {
    this.#plain.destroy()
    // one that could not be made has nothing to close, and its error was thrown already
    const secure = await this.#secure?.catch(() => undefined)
    secure?.destroy()
  }

  #secureAgent(): Promise<SecureAgent> {
    this.#secure ??= this.#makeSecureAgent()
    return this.#secure
  }

  /** One context for all connections: reading the roots takes longer than a handshake. */
  async #makeSecureAgent(): Promise<SecureAgent> {
    const [https, tls] = await Promise.all([import('node:https'), import('node:tls')])
    const ca = await this.#authorities()
    const context = ca === undefined ? {} : { secureContext: tls.createSecureContext({ ca }) }
    return new https.Agent({ ...agentOptions(this.#limits), ...context })
  }
}

function agentOptions({ maxConnectionsPerHost }: NetworkLimits) {
  return {
    keepAlive: true,
    timeout: idleConnectionMs,
    maxSockets: maxConnectionsPerHost,
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: addressAttemptMs,
  }
}

/** Node itself waits for a connection as long as the kernel does, two minutes, and for TLS for ever. */
function limitConnecting(
  sent: ClientRequest,
  connected: 'connect' | 'secureConnect',
  connectMs: number,
): void {
  sent.once('socket', (socket) => {
    if (!socket.connecting) return
    const timer = setTimeout(() => sent.destroy(connectionTimeout()), connectMs)
    const stop = () => clearTimeout(timer)
    socket.once(connected, stop)
    socket.once('close', stop)
  })
}

function connectionTimeout(): Error {
  return Object.assign(new Error('no connection in time'), { code: 'ETIMEDOUT' })
}
