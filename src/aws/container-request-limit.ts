/**
 * A limit for what the SDK itself asks of a container's credential endpoint. It can only take a role
 * with these credentials by asking once more, and its provider waits for an answer without end
 * (container-credentials.ts). Its requests are node:http's, which tells of each that starts: those to the
 * endpoint are ended here. May go when credential-provider-http has a limit or takes a signal.
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { ClientRequest } from 'node:http'

/** Longer than one of our own limits: the SDK's warning about slow answers, and its pause, come later. */
export const sdkPatience = { timeout: 2200, maxRetries: 1 } as const

type Limits = {
  readonly attemptMs: number
  /** All attempts together; those that start later are ended at once. */
  readonly totalMs: number
  readonly signal: AbortSignal
}

/**
 * Runs `ask`, while each request to the endpoint ends after its time.
 * @param silence The error when `ask` fails after such an end.
 */
export async function withinLimits<Value>(
  endpoint: URL,
  limits: Limits,
  ask: () => Promise<Value>,
  silence: () => Error,
): Promise<Value> {
  const startedAt = performance.now()
  const timers = new Set<NodeJS.Timeout>()
  let wasSilent = false
  const onRequest = (message: unknown) => {
    const { request } = message as { request: ClientRequest }
    if (request.getHeader('host') !== endpoint.host) return
    if (request.path.split('?')[0] !== endpoint.pathname) return
    const leftMs = startedAt + limits.totalMs - performance.now()
    const end = () => {
      wasSilent = true
      request.destroy(silence())
    }
    const timer = setTimeout(end, Math.max(0, Math.min(limits.attemptMs, leftMs)))
    const stop = () => request.destroy(limits.signal.reason as Error)
    limits.signal.addEventListener('abort', stop, { once: true })
    timers.add(timer)
    request.once('close', () => {
      clearTimeout(timer)
      limits.signal.removeEventListener('abort', stop)
    })
  }
  subscribe(channel, onRequest)
  try {
    return await ask()
  } catch (error) {
    throw wasSilent ? silence() : error
  } finally {
    unsubscribe(channel, onRequest)
    for (const timer of timers) clearTimeout(timer)
  }
}

const channel = 'http.client.request.start'
