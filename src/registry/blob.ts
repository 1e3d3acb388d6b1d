/**
 * Blobs as verified streams. Bytes are hashed and counted as they pass; a broken connection is taken
 * up at the byte reached (REGISTRY § 5.7), always by a new request to the registry, since the signed
 * URL that it had named may be over. The last chunk is followed by the check: a consumer may use what
 * it read only after the stream has ended without an error.
 */
import { createHash, type Hash } from 'node:crypto'
import { throwIfCancelled } from '../errors/cancelled.ts'
import { SregistryError } from '../errors/sregistry-error.ts'
import { parseContentRange } from './byte-range.ts'
import type { Clock } from './clock.ts'
import { openCodedBody } from './content-coding.ts'
import type { Descriptor } from './descriptor.ts'
import { formatDigest } from './digest.ts'
import { bareMediaType } from './media-types.ts'
import { networkFailure, type RetryRule } from './network-failure.ts'
import { watchRate } from './rate-watch.ts'
import { AttemptFailed, type RetryBudget } from './retry.ts'
import type { StreamAnswer } from './transport.ts'

/** Where a blob comes from; each call is one try, with a Range from the offset unless that is 0. */
export type BlobSource = {
  /** For messages. */
  readonly host: string
  open(offset: number, signal: AbortSignal | undefined): Promise<StreamAnswer>
}

export type BlobOptions = {
  readonly budget: RetryBudget
  readonly clock: Clock
  /** Called with the bytes of this blob that have passed so far, for every chunk. */
  readonly onProgress?: (doneBytes: number) => void
  readonly signal?: AbortSignal
}

/** So much progress makes the next failure count as the first one. */
const progressBytes = 1024 * 1024

const retryOnce: RetryRule = { maxRetries: 1 }
const retryAsBudgetAllows: RetryRule = { maxRetries: Number.POSITIVE_INFINITY }

/**
 * @throws {SregistryError} DIGEST_MISMATCH, SIZE_MISMATCH, BLOB_UNKNOWN, CANCELLED; NETWORK and its like
 *   when the tries are used up. After DIGEST_MISMATCH one more call from the start is worth while.
 */
export async function* readBlob(
  source: BlobSource,
  descriptor: Descriptor,
  options: BlobOptions,
): AsyncGenerator<Uint8Array> {
  if (descriptor.data !== undefined) {
    yield checkedData(descriptor, descriptor.data)
    return
  }
  const reading = new BlobReading(source, descriptor, options)
  // one plain loop and no inner generators: each layer of them costs a turn of the queue per chunk
  while (!reading.isComplete) {
    try {
      await reading.connect()
      for (let chunk = await reading.next(); chunk !== undefined; chunk = await reading.next()) {
        if (chunk.byteLength > 0) yield chunk
      }
    } catch (thrown) {
      await reading.recover(thrown)
    } finally {
      reading.disconnect()
    }
  }
  reading.verify()
}

class BlobReading {
  readonly #source: BlobSource
  readonly #descriptor: Descriptor
  readonly #options: BlobOptions
  readonly #hash: Hash
  #doneBytes = 0
  /** Bytes at the front of the current answer that have passed before. */
  #skipBytes = 0
  #failedAt = 0
  #takesRanges = true
  #hasEnded: boolean
  #answer: StreamAnswer | undefined
  #chunks: AsyncIterator<Uint8Array> | undefined
  #watch: ReturnType<typeof watchRate> | undefined

  constructor(source: BlobSource, descriptor: Descriptor, options: BlobOptions) {
    this.#source = source
    this.#descriptor = descriptor
    this.#options = options
    this.#hash = createHash(descriptor.digest.algorithm)
    // nothing needs to be asked for an empty blob
    this.#hasEnded = descriptor.sizeBytes === 0
  }

  get isComplete(): boolean {
    return this.#hasEnded
  }

  async connect(): Promise<void> {
    const { signal, clock } = this.#options
    throwIfCancelled(signal, this.#name())
    const offset = this.#takesRanges ? this.#doneBytes : 0
    const answer = await this.#source.open(offset, signal)
    this.#answer = answer
    const isPart = this.#isPart(answer, offset)
    this.#skipBytes = isPart ? 0 : this.#doneBytes
    const wantedBytes = this.#descriptor.sizeBytes - (isPart ? offset : 0)
    const coded = await openCodedBody(answer, this.#descriptor, wantedBytes)
    if (coded.isDecoded) this.#takesRanges = false
    if (coded.isDecoded && isPart) throw this.#unusable('a coded part')
    if (coded.countsBlobBytes) this.#checkLength(answer, wantedBytes)
    this.#chunks = coded.body[Symbol.asyncIterator]()
    this.#watch = watchRate(clock, (error) => answer.discard(error), answer.host)
  }

  /** The next bytes that have not passed before; undefined when the answer ends. */
  async next(): Promise<Uint8Array | undefined> {
    this.#watch?.waiting()
    const result = await this.#chunks?.next()
    if (result === undefined || result.done) {
      this.#end()
      return undefined
    }
    this.#watch?.received(result.value.byteLength)
    const chunk = this.#unseen(result.value)
    this.#doneBytes += chunk.byteLength
    if (this.#doneBytes > this.#descriptor.sizeBytes) throw this.#tooLong()
    this.#hash.update(chunk)
    this.#options.onProgress?.(this.#doneBytes)
    return chunk
  }

  /** Waits for the next try. @throws when there is none. */
  async recover(thrown: unknown): Promise<void> {
    const { budget, signal } = this.#options
    const failure = this.#failureOf(thrown)
    if (this.#doneBytes - this.#failedAt >= progressBytes) budget.reset()
    this.#failedAt = this.#doneBytes
    await budget.waitAfter(failure, signal)
  }

  disconnect(): void {
    this.#watch?.stop()
    this.#answer?.discard()
    this.#answer = undefined
    this.#chunks = undefined
  }

  verify(): void {
    const hex = this.#hash.digest('hex')
    if (hex !== this.#descriptor.digest.hex)
      throw wrongDigest(this.#descriptor, hex, this.#source.host)
  }

  #end(): void {
    if (this.#doneBytes === this.#descriptor.sizeBytes) {
      this.#hasEnded = true
      return
    }
    // a body without a length ends cleanly wherever it is cut: only the descriptor tells
    throw new AttemptFailed(this.#tooShort(), retryAsBudgetAllows)
  }

  #unseen(chunk: Uint8Array): Uint8Array {
    const skipped = Math.min(this.#skipBytes, chunk.byteLength)
    this.#skipBytes -= skipped
    return skipped === 0 ? chunk : chunk.subarray(skipped)
  }

  /** Whether the answer starts at the offset; one that starts elsewhere is never joined. */
  #isPart(answer: StreamAnswer, offset: number): boolean {
    if (answer.status === 200) return false
    const range = parseContentRange(answer.headers['content-range'])
    const size = this.#descriptor.sizeBytes
    const fits = range?.start === offset && (range.total ?? size) === size
    if (answer.status === 206 && fits) return true
    this.#takesRanges = false
    throw this.#unusable(answer.status === 416 ? 'a refusal of the range' : 'another part')
  }

  #checkLength(answer: StreamAnswer, wantedBytes: number): void {
    const length = answer.headers['content-length']
    const isPage = bareMediaType(answer.headers['content-type'] ?? '') === 'text/html'
    if (length === undefined ? !isPage : Number(length) === wantedBytes) return
    const { host } = answer
    if (isPage) {
      const hint = 'a login page or a proxy may stand in between'
      const message = `${host} answered with a web page instead of ${this.#name()}`
      throw new SregistryError('PROTOCOL_ERROR', message, { hint })
    }
    const sizes = `it announces ${length} bytes where the manifest says ${wantedBytes}`
    const error = new SregistryError('SIZE_MISMATCH', `${this.#name()} from ${host}: ${sizes}`)
    throw new AttemptFailed(error, retryOnce)
  }

  #failureOf(thrown: unknown): AttemptFailed {
    const { signal } = this.#options
    if (thrown instanceof AttemptFailed) return this.#withPlace(thrown)
    throwIfCancelled(signal, this.#name())
    const host = this.#answer?.host ?? this.#source.host
    const { error, rule } = networkFailure(thrown, { host }, signal)
    return this.#withPlace(new AttemptFailed(error, rule))
  }

  /** The same failure, telling how far the blob had come. */
  #withPlace(failure: AttemptFailed): AttemptFailed {
    const { error } = failure
    if (!['NETWORK', 'TIMEOUT'].includes(error.code)) return failure
    const done = `${this.#doneBytes} of ${this.#descriptor.sizeBytes} bytes`
    const message = `${this.#name()}: ${error.message}, at ${done}`
    const kept = 'what is complete is kept'
    const hint = error.hint === undefined ? `run it again: ${kept}` : `${kept}; ${error.hint}`
    const told = new SregistryError(error.code, message, { hint, cause: error.cause })
    return new AttemptFailed(told, failure.rule, failure.retryAfterMs)
  }

  #unusable(what: string): AttemptFailed {
    const message = `${this.#name()}: ${this.#source.host} answered with ${what}`
    return new AttemptFailed(new SregistryError('PROTOCOL_ERROR', message), retryAsBudgetAllows)
  }

  #tooShort(): SregistryError {
    const got = `${this.#doneBytes} of ${this.#descriptor.sizeBytes} bytes came`
    return new SregistryError(
      'SIZE_MISMATCH',
      `${this.#name()} from ${this.#source.host}: ${got}`,
      {
        hint: 'run it again; a proxy may be cutting downloads',
      },
    )
  }

  #tooLong(): SregistryError {
    const wanted = `more than the ${this.#descriptor.sizeBytes} bytes of its manifest came`
    return new SregistryError(
      'SIZE_MISMATCH',
      `${this.#name()} from ${this.#source.host}: ${wanted}`,
      { hint: 'run it again; if it stays, a proxy may be changing downloads' },
    )
  }

  #name(): string {
    return shortName(this.#descriptor)
  }
}

function checkedData(descriptor: Descriptor, data: Uint8Array): Uint8Array {
  if (data.byteLength !== descriptor.sizeBytes) {
    const sizes = `${data.byteLength} bytes instead of ${descriptor.sizeBytes}`
    throw new SregistryError(
      'SIZE_MISMATCH',
      `${shortName(descriptor)} in its manifest has ${sizes}`,
    )
  }
  const hex = createHash(descriptor.digest.algorithm).update(data).digest('hex')
  if (hex !== descriptor.digest.hex) throw wrongDigest(descriptor, hex, 'its manifest')
  return data
}

function wrongDigest(descriptor: Descriptor, hex: string, host: string): SregistryError {
  const got = `${descriptor.digest.algorithm}:${hex}`
  const message = `${formatDigest(descriptor.digest)} from ${host} is not what its digest says: got ${got}`
  return new SregistryError('DIGEST_MISMATCH', message, {
    hint: 'nothing was kept; run it again, and if it stays, a proxy may be changing downloads',
  })
}

function shortName(descriptor: Descriptor): string {
  return `blob ${descriptor.digest.algorithm}:${descriptor.digest.hex.slice(0, 12)}…`
}
