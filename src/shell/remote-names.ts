/**
 * Names that live in the registry or the catalogue, for completion: from the cache while fresh, else
 * asked for, but never waited for longer than the deadline. A slow registry must not freeze typing.
 */

export type NameQuery = {
  readonly key: string
  readonly ask: (signal: AbortSignal) => PromiseLike<unknown> | AsyncIterable<unknown>
}

export type RemoteNamesOptions = {
  /** Milliseconds; only differences count. */
  readonly now: () => number
  /** Default 300. */
  readonly deadlineMs?: number
}

const freshMs = 60_000
const requestLimitMs = 5_000
const maxNames = 1000

type Cached = { readonly names: readonly string[]; readonly at: number }

export class RemoteNames {
  readonly #options: RemoteNamesOptions
  readonly #cache = new Map<string, Cached>()
  readonly #running = new Map<string, Promise<void>>()

  constructor(options: RemoteNamesOptions) {
    this.#options = options
  }

  /** @returns What is known within the deadline; empty when nothing is. Never rejects. */
  async names(query: NameQuery): Promise<readonly string[]> {
    const cached = this.#cache.get(query.key)
    if (cached !== undefined && this.#options.now() - cached.at < freshMs) return cached.names
    await withDeadline(this.#request(query), this.#options.deadlineMs ?? 300)
    return this.#cache.get(query.key)?.names ?? []
  }

  /** After `.use`: other names. */
  clear(): void {
    this.#cache.clear()
    this.#running.clear()
  }

  /** One request in flight for each key; it goes on into the cache after the deadline. */
  #request(query: NameQuery): Promise<void> {
    const running = this.#running.get(query.key)
    if (running !== undefined) return running
    const request = this.#ask(query).finally(() => {
      if (this.#running.get(query.key) === request) this.#running.delete(query.key)
    })
    this.#running.set(query.key, request)
    return request
  }

  async #ask(query: NameQuery): Promise<void> {
    try {
      const names = await collectNames(query.ask(AbortSignal.timeout(requestLimitMs)))
      this.#cache.set(query.key, { names, at: this.#options.now() })
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
