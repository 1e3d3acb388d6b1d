/**
 * Content-Encoding of a blob. We ask for `identity`; some stores label a `.tar.gz` as coded although
 * the coded bytes are the blob, and some proxies really compress. The descriptor's size tells which.
 */

import { pipeline, Readable, type Transform } from 'node:stream'
import type { Descriptor } from './descriptor.ts'
import { layerCompression } from './media-types.ts'
import type { StreamAnswer } from './transport.ts'

const knownCodings = ['gzip', 'x-gzip', 'deflate', 'br']

export type CodedBody = {
  readonly body: AsyncIterable<Uint8Array>
  /** True when bytes were decoded: their offsets are then none of a Range. */
  readonly isDecoded: boolean
  /** True when Content-Length counts the blob's own bytes. */
  readonly countsBlobBytes: boolean
}

/** @param wantedBytes How many bytes of the blob the answer should hold. */
export async function openCodedBody(
  answer: StreamAnswer,
  descriptor: Descriptor,
  wantedBytes: number,
): Promise<CodedBody> {
  const plain = { body: answer.body, isDecoded: false }
  const coding = (answer.headers['content-encoding'] ?? '').trim().toLowerCase()
  if (coding === '' || coding === 'identity') return { ...plain, countsBlobBytes: true }
  const length = answer.headers['content-length']
  const isBlobItself =
    length === undefined
      ? layerCompression(descriptor.mediaType) === 'gzip'
      : Number(length) === wantedBytes
  if (isBlobItself || !knownCodings.includes(coding))
    return { ...plain, countsBlobBytes: isBlobItself }
  const decoder = await decoderOf(coding)
  // an error of either side comes out of the decoder, which is what the consumer reads
  pipeline(Readable.from(answer.body, { objectMode: false }), decoder, () => undefined)
  return { body: decoder, isDecoded: true, countsBlobBytes: false }
}

/** zlib is loaded only here: no honest registry makes us decode. */
async function decoderOf(coding: string): Promise<Transform> {
  const { createBrotliDecompress, createGunzip, createInflate } = await import('node:zlib')
  if (coding === 'br') return createBrotliDecompress()
  return coding === 'deflate' ? createInflate() : createGunzip()
}
