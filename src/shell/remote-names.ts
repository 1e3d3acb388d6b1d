/**
 * Names that live in the registry or the catalogue, for completion: from the cache while fresh, else
 * asked for, but never waited for longer than the deadline. A slow registry must not freeze typing.
 */

export type NameQuery = {
  readonly key: string
  readonly ask: (signal: AbortSignal) => PromiseLike<unknown> | AsyncIterable<unknown>
  /** How long an answer may be given again, in milliseconds. Default: a minute. */
  readonly freshMs?: number
  /** Called when there was nothing to answer within the deadline, and names have come after it. */
  readonly onLate?: () => void
}

export type RemoteNamesOptions = {
  /** Milliseconds; only differences count. */
  readonly now: () => number
  /** Default 250: within the 300 of a whole answer, so that whatever misses those is told as late. */
  readonly deadlineMs?: number
}

const defaultFreshMs = 60_000
const requestLimitMs = 5_000
const maxNames = 1000

type Cached = { readonly names: readonly string[]; readonly at: number }

export class RemoteNames {
  readonly #options: RemoteNamesOptions
  #cache = new Map<string, Cached>()
  #running = new Map<string, Promise<void>>()

  constructor(options: RemoteNamesOptions) {
    this.#options = options
  }

  /** @returns What is known within the deadline; empty when nothing is. Never rejects. */
  async names(query: NameQuery): Promise<readonly string[]> {
    const cache = this.#cache
    const cached = cache.get(query.key)
    const freshMs = query.freshMs ?? defaultFreshMs
    if (cached !== undefined && this.#options.now() - cached.at < freshMs) return cached.names
    const request = this.#request(query)
    await withDeadline(request, this.#options.deadlineMs ?? 250)
    const names = cache.get(query.key)?.names
    if (names === undefined) void this.#tellWhenLate(query, request)
    return names ?? []
  }

  /** After `.use`: other names. What is still asked for does not come into them. */
  clear(): void {
    this.#cache = new Map()
    this.#running = new Map()
  }

  async #tellWhenLate(query: NameQuery, request: Promise<void>): Promise<void> {
    const cache = this.#cache
    await request
    const names = cache.get(query.key)?.names ?? []
    if (cache === this.#cache && names.length > 0) query.onLate?.()
  }

  /** One request in flight for each key; it goes on into the cache after the deadline. */
  #request(query: NameQuery): Promise<void> {
    const all = this.#running
    const running = all.get(query.key)
    if (running !== undefined) return running
    const request = this.#ask(query, this.#cache).finally(() => all.delete(query.key))
    all.set(query.key, request)
    return request
  }

  async #ask(query: NameQuery, cache: Map<string, Cached>): Promise<void> {
    try {
      const names = await collectNames(query.ask(AbortSignal.timeout(requestLimitMs)))
      cache.set(query.key, { names, at: this.#options.now() })
    } catch {
      // No access, no network: then there is nothing to offer, and the prompt is no place to say so.
    }
  }
}

async function withDeadline(work: Promise<void>, deadlineMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const deadline = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, deadlineMs)
  })
  await Promise.race([work, deadline])
  clearTimeout(timer)
}

async function collectNames(
  answer: PromiseLike<unknown> | AsyncIterable<unknown>,
): Promise<readonly string[]> {
  const names: string[] = []
  const rows = Symbol.asyncIterator in answer ? answer : await answer
  if (typeof rows !== 'object' || rows === null) return names
  for await (const row of rows as AsyncIterable<unknown> | Iterable<unknown>) {
    const name = nameOf(row)
    if (name !== undefined) names.push(name)
    if (names.length >= maxNames) break
  }
  return names
}

function nameOf(row: unknown): string | undefined {
  if (typeof row === 'string') return row
  if (typeof row !== 'object' || row === null) return undefined
  const record = row as { readonly [field: string]: unknown }
  const name = record['repository'] ?? record['name'] ?? record['tag']
  if (typeof name !== 'string') return undefined
  const isImage = 'path' in record && typeof record['tag'] === 'string'
  return isImage ? `${name}:${record['tag']}` : name
}
