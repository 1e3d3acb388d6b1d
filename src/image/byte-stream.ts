/** What is done to streams of bytes whatever they hold: watching a signal, looking ahead, transforming. */
import type { Transform } from 'node:stream'
import { cancelled, throwIfCancelled } from '../errors/cancelled.ts'

/**
 * The same bytes, but no wait for them outlives the signal.
 * @throws {SregistryError} CANCELLED.
 */
export async function* cancellable(
  source: AsyncIterable<Uint8Array>,
  what: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  if (signal === undefined) {
    yield* source
    return
  }
  throwIfCancelled(signal, what)
  // not Promise.race: a promise that lives as long as the signal would keep every chunk it raced with
  let giveUp: (error: Error) => void = () => undefined
  const onAbort = () => giveUp(cancelled(what, signal.reason))
  signal.addEventListener('abort', onAbort, { once: true })
  const iterator = source[Symbol.asyncIterator]()
  try {
    for (;;) {
      throwIfCancelled(signal, what)
      const next = await new Promise<IteratorResult<Uint8Array>>((resolve, reject) => {
        giveUp = reject
        iterator.next().then(resolve, reject)
      })
      if (next.done) return
      yield next.value
    }
  } finally {
    signal.removeEventListener('abort', onAbort)
    // a source that never answers must not hold up the cancelling
    void Promise.resolve(iterator.return?.()).catch(() => undefined)
  }
}

/** The first bytes of a stream, up to `count` or its end, and the whole stream. */
export async function lookAhead(
  source: AsyncIterable<Uint8Array>,
  count: number,
): Promise<{ readonly head: Uint8Array; readonly whole: AsyncGenerator<Uint8Array> }> {
  const iterator = source[Symbol.asyncIterator]()
  const chunks: Uint8Array[] = []
  let length = 0
  while (length < count) {
    const next = await iterator.next()
    if (next.done) break
    // a copy: a source may use its buffer again for the next
    chunks.push(new Uint8Array(next.value))
    length += next.value.length
  }
  return { head: Buffer.concat(chunks).subarray(0, count), whole: chain(chunks, iterator) }
}

async function* chain(
  chunks: readonly Uint8Array[],
  iterator: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  try {
    yield* chunks
    for (;;) {
      const next = await iterator.next()
      if (next.done) return
      yield next.value
    }
  } finally {
    await iterator.return?.()
  }
}

/** Called for each chunk of the source when the transform has taken what it wants of it. */
export type OnFed = (chunk: Uint8Array) => void

/**
 * What comes out of a transform when the source is fed to it, at the pace of the reader. The source is
 * read to its end, also where the transform has ended before.
 */
export async function* throughTransform(
  source: AsyncIterable<Uint8Array>,
  transform: Transform,
  onFed: OnFed = () => undefined,
): AsyncGenerator<Buffer> {
  let failure: { readonly cause: unknown } | undefined
  let isAbandoned = false
  // a source may fail when the transform has been read to its end, and then nobody else listens
  transform.on('error', () => undefined)
  const feeding = feed(source, transform, (chunk) => {
    if (!isAbandoned) onFed(chunk)
    return !isAbandoned
  }).catch((cause: unknown) => {
    failure ??= { cause }
    transform.destroy(cause instanceof Error ? cause : new Error(String(cause)))
  })
  try {
    for await (const chunk of transform) yield chunk as Buffer
    await feeding
  } finally {
    isAbandoned = true
    transform.destroy()
  }
  if (failure !== undefined) throw failure.cause
}

async function feed(
  source: AsyncIterable<Uint8Array>,
  transform: Transform,
  onFed: (chunk: Uint8Array) => boolean,
): Promise<void> {
  for await (const chunk of source) {
    if (!transform.destroyed) await written(transform, chunk)
    if (!onFed(chunk)) return
  }
  if (!transform.destroyed) transform.end()
}

function written(transform: Transform, chunk: Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    // errors reach the reader of the transform
    transform.write(chunk, () => resolve())
  })
}
