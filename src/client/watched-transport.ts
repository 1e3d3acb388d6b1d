/** A transport that remembers where the last large answer was asked for: at the registry or at its storage. */
import type { Transport } from '../registry/transport.ts'

export type WatchedTransport = {
  readonly transport: Transport
  /** `host[:port]` of the last stream that was asked for; undefined before the first. */
  readonly lastHost: () => string | undefined
}

export function watchedTransport(transport: Transport): WatchedTransport {
  let host: string | undefined
  return {
    lastHost: () => host,
    transport: {
      ask: (request) => transport.ask(request),
      stream: (request) => {
        host = request.url.host
        return transport.stream(request)
      },
      dispatcher: () => transport.dispatcher(),
      proxyOf: (url) => transport.proxyOf(url),
      close: () => transport.close(),
    },
  }
}
