/** How long the network may take, and how much of it is used at once. */

export type NetworkLimits = {
  readonly connectMs: number
  readonly headersMs: number
  /** No byte for so long ends a body. */
  readonly idleMs: number
  readonly maxConnectionsPerHost: number
  /** Bodies up to this size come by Node's own http, where their host is reached directly. */
  readonly maxDirectBytes: number
}

/** FAULTS § 3; undici's timers are about a second coarse, so whole seconds only. */
export const networkLimits: NetworkLimits = {
  connectMs: 10_000,
  headersMs: 60_000,
  idleMs: 60_000,
  maxConnectionsPerHost: 8,
  maxDirectBytes: 4 * 1024 * 1024,
}

/** Each address of a host gets this long: Node's 250 ms are too few on far or slow links. */
export const addressAttemptMs = 2000
