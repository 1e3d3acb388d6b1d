/** Which layer a failure is about, and whose fault it is: the image's, or the way it came. */
import { isSregistryError, SregistryError } from '../errors/sregistry-error.ts'
import type { Descriptor } from '../registry/descriptor.ts'

const aboutContents = new Set(['LAYER_INVALID', 'LIMIT_EXCEEDED', 'DIGEST_MISMATCH'])

const buildAgain = 'the image was built or stored wrongly: build and push it again'

/** An error about what a layer holds, with the layer's number and digest; any other as it is. */
export function namedLayer(error: unknown, number: number, layers: readonly Descriptor[]): unknown {
  if (!isSregistryError(error) || !aboutContents.has(error.code)) return error
  const hex = layers[number]?.digest.hex.slice(0, 12)
  const { code, message, hint = buildAgain, cause } = error
  const place = `layer ${number + 1}/${layers.length} (sha256:${hex}…)`
  return new SregistryError(code, `${place}: ${message}`, { hint, cause })
}

/**
 * The bytes of a blob, for a reader that may stop before their end. Altered bytes often look like a
 * damaged archive long before the end of the blob shows that the digest is wrong.
 */
export class BlobBytes implements AsyncIterable<Uint8Array> {
  readonly #bytes: AsyncIterator<Uint8Array>
  #failure: { readonly error: unknown } | undefined
  #isDone = false

  constructor(bytes: AsyncIterable<Uint8Array>) {
    this.#bytes = bytes[Symbol.asyncIterator]()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    for (;;) {
      const chunk = await this.#next()
      if (chunk === undefined) return
      yield chunk
    }
  }

  /**
   * What the blob itself fails with, read to its end if it was not; undefined when all of it was good.
   * Its maker has to call this or `close`.
   */
  async failure(): Promise<{ readonly error: unknown } | undefined> {
    try {
      while ((await this.#next()) !== undefined);
    } catch {
      // kept by #next
    }
    return this.#failure
  }

  /** Whether the blob, not its reader, was what failed. */
  get hasFailed(): boolean {
    return this.#failure !== undefined
  }

  /** Ends the download, if it has not ended. */
  async close(): Promise<void> {
    if (this.#isDone) return
    this.#isDone = true
    await this.#bytes.return?.()
  }

  async #next(): Promise<Uint8Array | undefined> {
    if (this.#isDone) return undefined
    try {
      const { done, value } = await this.#bytes.next()
      if (!done) return value
      this.#isDone = true
      return undefined
    } catch (error) {
      this.#isDone = true
      this.#failure = { error }
      throw error
    }
  }
}
