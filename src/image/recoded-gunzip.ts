/**
 * The tar stream of a gzip layer by the recoder (deflate/recoder.ts): like layer-decoder's gunzip, any
 * number of members, then zeros or nothing. Checksums of members are checked too (RFC 1952 § 2.3.1).
 */
import * as zlib from 'node:zlib'
import { findGzipHeader, gzipTrailerBytes } from '../deflate/gzip-member.ts'
import type { InflateStatus, Recoder } from '../deflate/recoder.ts'
import { layerInvalid } from './tar/layer-invalid.ts'

type Place = 'header' | 'stream' | 'trailer' | 'zeros'

/**
 * @returns chunks that are good until the next is asked for.
 * @throws {SregistryError} LAYER_INVALID.
 */
export async function* recodedGunzip(
  source: AsyncIterable<Uint8Array>,
  recoder: Recoder,
): AsyncGenerator<Buffer> {
  const members = new MemberReader(recoder)
  for await (const bytes of source) {
    for (let offset = 0; offset < bytes.length; ) {
      const taken = recoder.feed(offset === 0 ? bytes : bytes.subarray(offset))
      offset += taken
      const before = recoder.input.length
      yield* members.read(false)
      if (taken === 0 && recoder.input.length === before) {
        throw layerInvalid('a header of its gzip stream is too long')
      }
    }
  }
  yield* members.read(true)
  members.end()
}

class MemberReader {
  readonly #recoder: Recoder
  #place: Place = 'header'
  #isFirst = true
  #checksum = 0
  #sizeBytes = 0

  constructor(recoder: Recoder) {
    this.#recoder = recoder
  }

  /** Everything that the input holds. */
  *read(isEnd: boolean): Generator<Buffer> {
    while (this.#place === 'stream' || this.#readAround()) {
      if (this.#place !== 'stream') continue
      const status = this.#inflate(isEnd)
      const { chunk } = this.#recoder
      if (chunk.length > 0) yield chunk
      if (status === 'needs-input') return
      if (status === 'stream-end') this.#place = 'trailer'
    }
  }

  /** @throws {SregistryError} LAYER_INVALID when the last member is cut. */
  end(): void {
    const isBetween = this.#place === 'header' && this.#recoder.input.length === 0
    if (this.#place !== 'zeros' && !(isBetween && !this.#isFirst)) throw damaged()
  }

  #inflate(isEnd: boolean): InflateStatus {
    const status = this.#recoder.inflate(isEnd)
    if (status === 'bad-stream') throw damaged()
    const { chunk } = this.#recoder
    this.#checksum = zlib.crc32(chunk, this.#checksum)
    this.#sizeBytes = (this.#sizeBytes + chunk.length) % 2 ** 32
    return status
  }

  /** A header, a trailer or zeros at the end. @returns false when that needs more input. */
  #readAround(): boolean {
    if (this.#place === 'trailer') return this.#readTrailer()
    const { input } = this.#recoder
    if (this.#place === 'zeros' || (!this.#isFirst && input[0] === 0)) return this.#readZeros(input)
    return input.length > 0 && this.#readHeader(input)
  }

  #readHeader(input: Buffer): boolean {
    const header = findGzipHeader(input)
    if (header.status === 'none') {
      if (this.#isFirst) throw damaged()
      throw layerInvalid('something that is no gzip member follows one')
    }
    if (header.status !== 'header') return false
    this.#recoder.skip(header.sizeBytes)
    this.#recoder.beginStream()
    this.#isFirst = false
    this.#checksum = 0
    this.#sizeBytes = 0
    this.#place = 'stream'
    return true
  }

  #readTrailer(): boolean {
    const { input } = this.#recoder
    if (input.length < gzipTrailerBytes) return false
    const isRight =
      input.readUInt32LE(0) === this.#checksum && input.readUInt32LE(4) === this.#sizeBytes
    if (!isRight) throw damaged()
    this.#recoder.skip(gzipTrailerBytes)
    this.#place = 'header'
    return true
  }

  #readZeros(input: Buffer): boolean {
    this.#place = 'zeros'
    if (input.some((byte) => byte !== 0)) {
      throw layerInvalid('something that is no gzip member follows one')
    }
    this.#recoder.skip(input.length)
    return false
  }
}

function damaged(): Error {
  return layerInvalid('its gzip stream is cut or damaged')
}
