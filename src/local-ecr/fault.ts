/** Faults as data: what goes wrong, where, and how often. */

export type ListenerName = 'api' | 'registry' | 'blobs'

export type Fault =
  /** ThrottlingException, 429 or SlowDown, by listener; real ECR sends no Retry-After. */
  | { readonly kind: 'throttle'; readonly retryAfterSeconds?: number }
  | { readonly kind: 'server-error'; readonly status?: 500 | 502 | 503 }
  /** What a proxy or captive portal says in place of the server. */
  | { readonly kind: 'html'; readonly status?: number }
  /** 401 with this challenge in place of the true answer. */
  | { readonly kind: 'challenge'; readonly wwwAuthenticate: string }
  /** Redirects this many times to the same place before the true answer. */
  | { readonly kind: 'redirect'; readonly hops: number }
  // `afterBytes` at or beyond the body's end: the answer is whole
  /** TCP reset once this much of the body has been sent; 0 before the headers. */
  | { readonly kind: 'reset'; readonly afterBytes: number }
  /** Sends this much of the body, then nothing more. */
  | { readonly kind: 'stall'; readonly afterBytes: number }
  /** Ends the connection early; without a length the client cannot see the cut. */
  | { readonly kind: 'truncate'; readonly afterBytes: number; readonly hideLength?: boolean }
  | { readonly kind: 'slow'; readonly bytesPerSecond: number }
  /** One byte of the body is not what it was. */
  | { readonly kind: 'wrong-byte'; readonly at: number }
  /** The body gzipped once more, with Content-Encoding. */
  | { readonly kind: 'gzip' }
  /** Ranges are not understood: always the whole, with 200. */
  | { readonly kind: 'no-range' }
  /** No Date header: clients cannot correct their clock by it. */
  | { readonly kind: 'no-date' }

export type FaultRule = {
  readonly fault: Fault
  /** Without it: all three. */
  readonly listener?: ListenerName
  /** `GetAuthorizationToken` …, or on /v2: `GetManifest`, `GetBlob`, `ListTags` …, or `Download`. */
  readonly operation?: string
  readonly repository?: string
  /** Every nth of the matching requests (default 1: all). */
  readonly every?: number
  /** At most this often (default: no end). */
  readonly times?: number
}

/** A request as the rules see it. */
export type FaultTarget = {
  readonly listener: ListenerName
  readonly operation: string
  readonly repository?: string | undefined
}

type ActiveRule = FaultRule & { seen: number; fired: number }

/** The rules that are switched on. */
export class Faults {
  readonly #rules = new Set<ActiveRule>()

  constructor(rules: readonly FaultRule[] = []) {
    for (const rule of rules) this.add(rule)
  }

  /** Switches a rule on; the function that comes back switches it off. */
  add(rule: FaultRule): () => void {
    const active = { ...rule, seen: 0, fired: 0 }
    this.#rules.add(active)
    return () => {
      this.#rules.delete(active)
    }
  }

  clear(): void {
    this.#rules.clear()
  }

  /** The faults of this request, in the order in which they were switched on; counts it. */
  take(target: FaultTarget): readonly Fault[] {
    return [...this.#rules]
      .filter((rule) => matches(rule, target) && isDue(rule))
      .map((rule) => rule.fault)
  }
}

function matches(rule: FaultRule, target: FaultTarget): boolean {
  if (rule.listener !== undefined && rule.listener !== target.listener) return false
  if (rule.operation !== undefined && rule.operation !== target.operation) return false
  return rule.repository === undefined || rule.repository === target.repository
}

function isDue(rule: ActiveRule): boolean {
  rule.seen += 1
  const due = rule.seen % (rule.every ?? 1) === 0 && rule.fired < (rule.times ?? Infinity)
  if (due) rule.fired += 1
  return due
}
