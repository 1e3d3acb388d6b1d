/**
 * Cuts a zstd stream into its frames without decompressing (RFC 8878 § 3.1). Node's decoder stops
 * after the first frame, chokes on skippable ones and takes a cut frame for a whole one (FORMATS
 * § 3.1), so each frame gets a decoder of its own.
 */
import { SregistryError } from '../errors/sregistry-error.ts'
import { layerInvalid } from './tar/layer-invalid.ts'

/** Bytes of a frame (never of two blocks at once), or the end of one. */
export type ZstdPiece = Uint8Array | typeof frameEnd
export const frameEnd: unique symbol = Symbol('end of a zstd frame')

/** zstd's own default limit (ZSTD_WINDOWLOG_LIMIT_DEFAULT, 2^27). */
const maxWindowBytes = 134_217_728

const frameMagic = 0xfd2fb528
const skippableMagic = 0x184d2a50

type State =
  | 'magic'
  | 'descriptor'
  | 'header'
  | 'block'
  | 'body'
  | 'checksum'
  | 'skip-size'
  | 'skip'

/** Bytes that each state needs before it can be judged; the others get theirs from what came before. */
const fixedBytes: Partial<Record<State, number>> = {
  magic: 4,
  descriptor: 1,
  block: 3,
  checksum: 4,
  'skip-size': 4,
}

export class ZstdFrames {
  private state: State = 'magic'
  private needed = 4
  private readonly collected: number[] = []
  private descriptor = 0
  private isLastBlock = false

  /** @throws {SregistryError} LAYER_INVALID when the stream ends inside a frame. */
  end(): void {
    if (this.state !== 'magic' || this.collected.length > 0) {
      throw layerInvalid('its zstd stream is cut')
    }
  }

  /** @throws {SregistryError} LAYER_INVALID, LIMIT_EXCEEDED (window). */
  *split(chunk: Uint8Array): Generator<ZstdPiece> {
    let offset = 0
    while (offset < chunk.length) {
      const part = chunk.subarray(offset, offset + this.needed)
      offset += part.length
      this.needed -= part.length
      const isFrame = this.state !== 'skip' && this.state !== 'skip-size'
      if (this.state === 'body' || this.state === 'skip') {
        if (isFrame) yield part
      } else yield* this.collect(part)
      while (this.needed === 0) yield* this.advance()
    }
  }

  /**
   * The magic is held back until it is clear whether a frame or a skippable one begins, the frame's
   * header until its window is known to be allowed: a decoder would refuse it in words of its own.
   */
  private *collect(part: Uint8Array): Generator<ZstdPiece> {
    this.collected.push(...part)
    const isHeldBack = ['magic', 'skip-size', 'header'].includes(this.state)
    if (!isHeldBack) yield part
  }

  private *advance(): Generator<ZstdPiece> {
    const bytes = Buffer.from(this.collected)
    this.collected.length = 0
    switch (this.state) {
      case 'magic':
        yield* this.magic(bytes)
        break
      case 'descriptor':
        this.descriptor = bytes[0] ?? 0
        this.enter('header', headerBytes(this.descriptor))
        break
      case 'header':
        checkWindow(this.descriptor, bytes)
        this.enter('block')
        yield bytes
        break
      case 'block':
        this.block(bytes.readUIntLE(0, 3))
        break
      case 'body':
        if (!this.isLastBlock) this.enter('block')
        else if ((this.descriptor & 4) !== 0) this.enter('checksum')
        else yield* this.frameEnd()
        break
      case 'checksum':
        yield* this.frameEnd()
        break
      case 'skip-size':
        this.enter('skip', bytes.readUInt32LE(0))
        break
      case 'skip':
        this.enter('magic')
        break
    }
  }

  private enter(state: State, needed: number = fixedBytes[state] ?? 0): void {
    this.state = state
    this.needed = needed
  }

  private *frameEnd(): Generator<ZstdPiece> {
    this.enter('magic')
    yield frameEnd
  }

  private *magic(bytes: Buffer): Generator<ZstdPiece> {
    const magic = bytes.readUInt32LE(0)
    if (magic === frameMagic) {
      this.enter('descriptor')
      yield bytes
    } else if ((magic & 0xfffffff0) === skippableMagic) this.enter('skip-size')
    else throw layerInvalid('something that is no zstd frame follows one')
  }

  /** Block_Header (§ 3.1.1.2): last 1 bit, type 2 bits, size 21 bits; an RLE block holds one byte. */
  private block(header: number): void {
    const type = (header >> 1) & 3
    if (type === 3) throw layerInvalid('its zstd stream has a block of a reserved type')
    this.isLastBlock = (header & 1) !== 0
    this.enter('body', type === 1 ? 1 : header >> 3)
  }
}

/** Window_Descriptor, Dictionary_ID and Frame_Content_Size after the descriptor (§ 3.1.1.1). */
function headerBytes(descriptor: number): number {
  const isSingleSegment = (descriptor & 0x20) !== 0
  const window = isSingleSegment ? 0 : 1
  const dictionary = [0, 1, 2, 4][descriptor & 3] ?? 0
  const contentSize = [isSingleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0
  return window + dictionary + contentSize
}

function checkWindow(descriptor: number, header: Buffer): void {
  if ((descriptor & 3) !== 0 && header.length > 0 && dictionaryId(descriptor, header) !== 0) {
    throw layerInvalid('its zstd stream needs a dictionary')
  }
  if (windowBytes(descriptor, header) <= maxWindowBytes) return
  throw new SregistryError(
    'LIMIT_EXCEEDED',
    `the layer is compressed with a zstd window of more than ${maxWindowBytes} bytes`,
    { hint: 'build the image without --long or --ultra windows' },
  )
}

function dictionaryId(descriptor: number, header: Buffer): number {
  const start = (descriptor & 0x20) === 0 ? 1 : 0
  return header.readUIntLE(start, [0, 1, 2, 4][descriptor & 3] ?? 1)
}

function windowBytes(descriptor: number, header: Buffer): number {
  if ((descriptor & 0x20) === 0) {
    const byte = header[0] ?? 0
    return 2 ** (10 + (byte >> 3)) * (1 + (byte & 7) / 8)
  }
  // one segment: the window is the content, whose size is the last field
  const sizeBytes = [1, 2, 4, 8][descriptor >> 6] ?? 1
  const start = header.length - sizeBytes
  if (sizeBytes === 8) return Number(header.readBigUInt64LE(start))
  return header.readUIntLE(start, sizeBytes) + (sizeBytes === 2 ? 256 : 0)
}
