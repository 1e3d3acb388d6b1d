/**
 * Content-Encoding of a blob. We ask for `identity`; some stores label a `.tar.gz` as coded although
 * the coded bytes are the blob, and some proxies really compress. The descriptor's size tells which.
 */

import { pipeline, Readable, type Transform } from 'node:stream'
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib'
import type { Descriptor } from './descriptor.ts'
import { layerCompression } from './media-types.ts'
import type { StreamAnswer } from './transport.ts'

const decoders: Readonly<Record<string, () => Transform>> = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
}

export type CodedBody = {
  readonly body: AsyncIterable<Uint8Array>
  /** True when bytes were decoded: their offsets are then none of a Range. */
  readonly isDecoded: boolean
  /** True when Content-Length counts the blob's own bytes. */
  readonly countsBlobBytes: boolean
}

/** @param wantedBytes How many bytes of the blob the answer should hold. */
export function openCodedBody(
  answer: StreamAnswer,
  descriptor: Descriptor,
  wantedBytes: number,
): CodedBody {
  const plain = { body: answer.body, isDecoded: false }
  const coding = (answer.headers['content-encoding'] ?? '').trim().toLowerCase()
  if (coding === '' || coding === 'identity') return { ...plain, countsBlobBytes: true }
  const length = answer.headers['content-length']
  const isBlobItself =
    length === undefined
      ? layerCompression(descriptor.mediaType) === 'gzip'
      : Number(length) === wantedBytes
  const decoder = Object.hasOwn(decoders, coding) ? decoders[coding]?.() : undefined
  if (isBlobItself || decoder === undefined) return { ...plain, countsBlobBytes: isBlobItself }
  // an error of either side comes out of the decoder, which is what the consumer reads
  pipeline(Readable.from(answer.body, { objectMode: false }), decoder, () => undefined)
  return { body: decoder, isDecoded: true, countsBlobBytes: false }
}
