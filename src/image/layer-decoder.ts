/**
 * Decompresses a layer: gzip with any number of members, zstd with any number of frames, or none. The
 * first bytes decide, not the media type (FORMATS § 3.1).
 */

import type { Transform } from 'node:stream'
import * as zlib from 'node:zlib'
import type { Recoder } from '../deflate/recoder.ts'
import { isSregistryError } from '../errors/sregistry-error.ts'
import { lookAhead, throughTransform } from './byte-stream.ts'
import type { LayerMeter } from './layer-limits.ts'
import { recodedGunzip } from './recoded-gunzip.ts'
import { layerInvalid } from './tar/layer-invalid.ts'
import { frameEnd, ZstdFrames, type ZstdPiece } from './zstd-frames.ts'

/** One trip to the thread pool makes this much: fewer, longer trips cost less. */
const outputChunkBytes = 262_144

/** Longest magic. */
const magicBytes = 4

export type LayerForm = 'gzip' | 'zstd' | 'plain'

/** A layer whose first bytes have been looked at. */
export type OpenedLayer = {
  readonly form: LayerForm
  /**
   * The tar stream. Chunks are the reader's to keep, but with a recoder, which keeps beside each what
   * it needs to recode it, and makes it good only until the next.
   * @throws {SregistryError} LAYER_INVALID when it is cut, damaged, compressed twice or followed by
   *   something else; LIMIT_EXCEEDED when it unpacks to more than an honest layer would.
   */
  decode(recoder?: Recoder): AsyncGenerator<Buffer>
}

export async function openLayer(
  source: AsyncIterable<Uint8Array>,
  meter: LayerMeter,
  { reusesChunks }: { readonly reusesChunks?: boolean | undefined } = {},
): Promise<OpenedLayer> {
  const { head, whole } = await lookAhead(source, magicBytes)
  const form = formOf(head)
  return {
    form,
    decode(recoder) {
      // the recoder takes what it is given at once, others may keep it
      const bytes = reusesChunks && recoder === undefined ? copied(whole) : whole
      return decodeLayer(form, bytes, meter, recoder)
    },
  }
}

async function* copied(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const chunk of source) yield new Uint8Array(chunk)
}

async function* decodeLayer(
  form: LayerForm,
  source: AsyncIterable<Uint8Array>,
  meter: LayerMeter,
  recoder: Recoder | undefined,
): AsyncGenerator<Buffer> {
  let blobBytes = 0
  let tarBytes = 0
  const counted = counting(source, (bytes) => {
    blobBytes += bytes
  })
  const check = new SecondCompressionCheck(form)
  try {
    for await (const chunk of decoded(form, counted, recoder)) {
      tarBytes += chunk.length
      meter.checkUnpacked(tarBytes)
      if (form !== 'plain') meter.checkRatio(form, blobBytes, tarBytes)
      check.look(chunk)
      yield asBuffer(chunk)
    }
  } catch (error) {
    throw translated(error, form)
  }
}

function decoded(
  form: LayerForm,
  source: AsyncIterable<Uint8Array>,
  recoder: Recoder | undefined,
): AsyncIterable<Uint8Array> {
  if (form === 'gzip') {
    return recoder === undefined ? gunzip(source) : recodedGunzip(source, recoder)
  }
  return form === 'zstd' ? decodeZstd(source) : source
}

function formOf(head: Uint8Array): LayerForm {
  if (head[0] === 0x1f && head[1] === 0x8b) return 'gzip'
  const isFrame = head[0] === 0x28 && head[1] === 0xb5 && head[2] === 0x2f && head[3] === 0xfd
  const isSkippable =
    ((head[0] ?? 0) & 0xf0) === 0x50 && head[1] === 0x2a && head[2] === 0x4d && head[3] === 0x18
  return isFrame || isSkippable ? 'zstd' : 'plain'
}

async function* counting(
  source: AsyncIterable<Uint8Array>,
  onBytes: (bytes: number) => void,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of source) {
    onBytes(chunk.length)
    yield chunk
  }
}

/** Looks at the first bytes that were decompressed: a tar archive doesn't begin like these. */
class SecondCompressionCheck {
  private head: Uint8Array = Buffer.alloc(0)
  private isOpen: boolean

  constructor(form: LayerForm) {
    this.isOpen = form !== 'plain'
  }

  look(chunk: Uint8Array): void {
    if (!this.isOpen) return
    this.head = Buffer.concat([this.head, chunk.subarray(0, magicBytes)])
    if (formOf(this.head) !== 'plain') throw layerInvalid('it is compressed twice')
    this.isOpen = this.head.length < magicBytes
  }
}

/**
 * Node's gunzip goes on after a member's end unless zeros follow, and then drops whatever comes after
 * them; so those must be zeros to the end.
 */
async function* gunzip(source: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  const stream = zlib.createGunzip({
    chunkSize: outputChunkBytes,
    readableHighWaterMark: outputChunkBytes,
  } as zlib.ZlibOptions)
  let fedBytes = 0
  let isOver = false
  yield* throughTransform(source, stream, (chunk) => {
    fedBytes += chunk.length
    const ignored = Math.min(fedBytes - stream.bytesWritten, chunk.length)
    isOver ||= ignored > 0
    if (isOver && !isZero(chunk.subarray(chunk.length - ignored))) {
      throw layerInvalid('something that is no gzip member follows one')
    }
  })
}

function isZero(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0)
}

/** A decoder of one zstd frame. */
type FrameDecoder = (frame: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>

async function* decodeZstd(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const decodeFrame = nodeZstd() ?? (await portableZstd())
  const pieces = zstdPieces(source)
  try {
    for (let next = await pieces.next(); !next.done; next = await pieces.next()) {
      if (next.value === frameEnd) continue
      yield* decodeFrame(frameOf(next.value, pieces))
    }
  } finally {
    await pieces.return(undefined)
  }
}

async function* zstdPieces(source: AsyncIterable<Uint8Array>): AsyncGenerator<ZstdPiece> {
  const frames = new ZstdFrames()
  for await (const chunk of source) yield* frames.split(chunk)
  frames.end()
}

/** Does not use for-await: ending it must leave the pieces of the next frame where they are. */
async function* frameOf(
  first: Uint8Array,
  pieces: AsyncGenerator<ZstdPiece>,
): AsyncGenerator<Uint8Array> {
  yield first
  for (;;) {
    const next = await pieces.next()
    if (next.done || next.value === frameEnd) return
    yield next.value
  }
}

/** Node 22.15 and later; the types here are those of Node 20. */
function nodeZstd(): FrameDecoder | undefined {
  const { createZstdDecompress } = zlib as unknown as {
    createZstdDecompress?: (options: { chunkSize: number }) => Transform
  }
  if (createZstdDecompress === undefined) return undefined
  return (frame) => throughTransform(frame, createZstdDecompress({ chunkSize: outputChunkBytes }))
}

/** JavaScript, at about half the speed; it checks no checksums, the layer's diff id does. */
async function portableZstd(): Promise<FrameDecoder> {
  const { Decompress } = await import('fzstd')
  return async function* decodeFrame(frame) {
    const ready: Uint8Array[] = []
    const decoder = new Decompress((bytes) => {
      if (bytes.length > 0) ready.push(bytes)
    })
    for await (const piece of frame) {
      // it keeps what it is given; no piece holds two blocks, so no push makes more than one block
      decoder.push(piece.slice())
      yield* ready.splice(0)
    }
  }
}

function translated(error: unknown, form: LayerForm): unknown {
  if (isSregistryError(error) || !isDecoderError(error)) return error
  return layerInvalid(`its ${form} stream is cut or damaged`, undefined, error)
}

/** zlib's errors have a code of theirs, fzstd's a number; the source's own pass as they are. */
function isDecoderError(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (typeof code === 'number') return true
  return typeof code === 'string' && /^(Z_|ZSTD_|ERR_ZSTD)/.test(code)
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
