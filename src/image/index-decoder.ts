import { SregistryError } from '../errors/sregistry-error.ts'

/** Reads what IndexEncoder wrote; never beyond its bytes, whatever they are. */
export class IndexDecoder {
  offset = 0
  readonly index: Buffer
  /** All of it as one string: its parts are then cut without a copy and without leaving JavaScript. */
  readonly text: string

  constructor(index: Buffer) {
    this.index = index
    this.text = index.toString('latin1')
  }

  /** @throws {SregistryError} IMAGE_INVALID beyond the end or beyond 2^53 - 1. */
  number(): number {
    // most numbers, and beyond the end nothing
    const first = this.index[this.offset] ?? 0x80
    if (first >= 0x80) return this.longNumber()
    this.offset += 1
    return first
  }

  private longNumber(): number {
    let byte = this.byte()
    let value = byte & 0x7f
    let scale = 0x80
    do {
      byte = this.byte()
      value += (byte & 0x7f) * scale
      scale *= 0x80
    } while (byte >= 0x80 && scale < 2 ** 56)
    if (byte >= 0x80 || !Number.isSafeInteger(value)) throw damaged('a number is too large')
    return value
  }

  /** A number of things that take at least so many bytes each. */
  count(bytesEach = 1): number {
    const count = this.number()
    if (count > (this.index.length - this.offset) / bytesEach) throw damaged('a count is too large')
    return count
  }

  latin1(): string {
    const length = this.skip()
    return this.text.slice(this.offset - length, this.offset)
  }

  /** Passes over a string. @returns its length; it ends at `offset`. */
  private skip(): number {
    const length = this.count()
    this.offset += length
    return length
  }

  /** A copy. */
  bytes(): Uint8Array {
    const length = this.skip()
    return new Uint8Array(this.index.subarray(this.offset - length, this.offset))
  }

  /** One of a list, by its number. */
  choice<T>(list: readonly T[]): T {
    const chosen = list[this.number()]
    if (chosen === undefined) throw damaged('a number stands for nothing')
    return chosen
  }

  /** @throws {SregistryError} IMAGE_INVALID when bytes are left. */
  finish(): void {
    if (this.offset !== this.index.length) throw damaged('bytes follow the index')
  }

  private byte(): number {
    const byte = this.index[this.offset]
    if (byte === undefined) throw damaged('the index is cut')
    this.offset += 1
    return byte
  }
}

/** @throws nothing: makes the error for a packed layer that cannot be read. */
export function damaged(what: string, cause?: unknown): SregistryError {
  return new SregistryError('IMAGE_INVALID', `the packed layer is damaged: ${what}`, {
    hint: 'pull the image again: the layer is packed anew',
    cause,
  })
}
