/** The answers that faults give in place of the true one, in the form of each listener. */
import { ApiError, apiErrorReply } from './api-error.ts'
import type { Fault, ListenerName } from './fault.ts'
import { RegistryError, registryErrorReply } from './registry-error.ts'
import { emptyReply, type Reply, textReply } from './reply.ts'
import { storageErrorReply } from './storage-error.ts'

/** Undefined when the fault lets the true answer through (and perhaps spoils its body later). */
export function faultReply(fault: Fault, listener: ListenerName, url: URL): Reply | undefined {
  switch (fault.kind) {
    case 'throttle':
      return throttled(listener, fault.retryAfterSeconds)
    case 'server-error':
      return serverError(listener, fault.status ?? 500)
    case 'html':
      return textReply(fault.status ?? 200, 'text/html', '<html><body>Please log in</body></html>')
    case 'challenge':
      return textReply(401, 'text/plain', 'Not Authorized\n', {
        'www-authenticate': fault.wwwAuthenticate,
      })
    case 'redirect':
      return nextHop(url, fault.hops)
    default:
      return undefined
  }
}

function throttled(listener: ListenerName, retryAfterSeconds: number | undefined): Reply {
  const headers: Record<string, string> =
    retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) }
  const replies = {
    api: () => apiErrorReply(new ApiError('ThrottlingException', 'Rate exceeded'), headers),
    registry: () =>
      registryErrorReply(new RegistryError(429, 'TOOMANYREQUESTS', 'Rate exceeded'), headers),
    blobs: () => storageErrorReply(503, 'SlowDown', 'Please reduce your request rate.', headers),
  }
  return replies[listener]()
}

function serverError(listener: ListenerName, status: number): Reply {
  const message = 'We encountered an internal error. Please try again.'
  const replies = {
    api: () => apiErrorReply(new ApiError('ServerException', message, status)),
    registry: () => registryErrorReply(new RegistryError(status, 'UNKNOWN', message)),
    blobs: () => storageErrorReply(status, 'InternalError', message),
  }
  return replies[listener]()
}

function nextHop(url: URL, hops: number): Reply | undefined {
  const hop = Number(url.searchParams.get('hop') ?? 0)
  if (hop >= hops) return undefined
  const next = new URL(url)
  next.searchParams.set('hop', String(hop + 1))
  return emptyReply(307, { location: next.href, 'content-length': '0' })
}
