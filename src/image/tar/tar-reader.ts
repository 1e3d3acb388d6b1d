/**
 * A push parser for tar layers that loses nothing: names as latin1 strings, records by byte length,
 * errors instead of skips (FORMATS § 3.2–3.4, § 3.6). Bodies pass through as views of what was written.
 */
import { isMetaType, metaBytesOf, PrefixCollector } from './entry-prefix.ts'
import { layerInvalid } from './layer-invalid.ts'
import { SparseBody } from './sparse-body.ts'
import {
  checkSparseMap,
  parseBodyMap,
  parseSparseBlock,
  type SparseForm,
  type SparseSegment,
  sparseFormOf,
} from './sparse-map.ts'
import { bodyOf, type EntryPrefix, type TarEntry, tarEntryOf } from './tar-entry.ts'
import { blockBytes, isZeroBlock, parseTarHeader, type TarHeader } from './tar-header.ts'

/** What a reader tells. data, hole and entryEnd come for files only, in the order of the file. */
export type TarSink = {
  entry(entry: TarEntry): void
  /** A view of what was written, good only during the call unless the writer leaves it alone. */
  data(bytes: Buffer): void
  /** Zeros that the archive leaves out. */
  hole(sizeBytes: number): void
  entryEnd(): void
}

/** Where the bytes of a body go. */
type BodyTarget = { readonly write: (bytes: Buffer) => void; readonly end: () => void }

const skipped: BodyTarget = { write: () => undefined, end: () => undefined }

/** The sparse file whose map is being read. */
type OpenSparse = {
  readonly form: SparseForm
  readonly name: string
  readonly segments: SparseSegment[]
  storedBytes: number
  text: string
}

export class TarReader {
  private readonly sink: TarSink
  private readonly prefix = new PrefixCollector()
  /** A block of 512 bytes that a chunk boundary cut. */
  private readonly partial = Buffer.allocUnsafe(blockBytes)
  private partialBytes = 0
  private onBlock: (block: Buffer) => void = this.header
  private bodyBytes = 0
  private paddingBytes = 0
  private target: BodyTarget = skipped
  private zeroBlocks = 0
  private name: string | undefined
  private sparse: OpenSparse | undefined

  constructor(sink: TarSink) {
    this.sink = sink
  }

  /**
   * The next bytes of the archive, cut anywhere. What follows the end of the archive is ignored.
   * @throws {SregistryError} LAYER_INVALID, LIMIT_EXCEEDED; nothing may be written after that.
   */
  write(chunk: Uint8Array): void {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    let offset = 0
    while (offset < bytes.length && this.zeroBlocks < 2) {
      if (this.bodyBytes > 0) offset += this.body(bytes, offset)
      else if (this.paddingBytes > 0) offset += this.padding(bytes.length - offset)
      else offset += this.block(bytes, offset)
    }
  }

  /** @throws {SregistryError} LAYER_INVALID when the archive ends inside an entry or a header. */
  end(): void {
    if (this.zeroBlocks === 2) return
    if (this.bodyBytes > 0 || this.sparse !== undefined) {
      throw layerInvalid('the tar archive ends inside an entry', this.name)
    }
    // writers that leave out the end blocks may leave out the last padding as well
    if (this.partialBytes > 0) throw layerInvalid('the tar archive ends inside a header')
    if (this.prefix.isPending) {
      throw layerInvalid('the tar archive ends after an extended header')
    }
  }

  private body(bytes: Buffer, offset: number): number {
    const part = bytes.subarray(offset, offset + this.bodyBytes)
    this.bodyBytes -= part.length
    this.target.write(part)
    if (this.bodyBytes === 0) this.target.end()
    return part.length
  }

  private padding(available: number): number {
    const skippedBytes = Math.min(this.paddingBytes, available)
    this.paddingBytes -= skippedBytes
    return skippedBytes
  }

  private block(bytes: Buffer, offset: number): number {
    if (this.partialBytes === 0 && bytes.length - offset >= blockBytes) {
      this.onBlock(bytes.subarray(offset, offset + blockBytes))
      return blockBytes
    }
    const copied = bytes.copy(this.partial, this.partialBytes, offset)
    this.partialBytes += copied
    if (this.partialBytes === blockBytes) {
      this.partialBytes = 0
      this.onBlock(this.partial)
    }
    return copied
  }

  private header(block: Buffer): void {
    if (isZeroBlock(block)) {
      this.zeroBlocks += 1
      if (this.zeroBlocks === 2 && this.prefix.isPending) {
        throw layerInvalid('the tar archive ends after an extended header')
      }
      return
    }
    if (this.zeroBlocks > 0) throw layerInvalid('a lone zero block stands between tar entries')
    const header = parseTarHeader(block)
    if (isMetaType(header.type)) this.meta(header)
    else this.entry(header, block)
  }

  private meta(header: TarHeader): void {
    const body = Buffer.allocUnsafe(metaBytesOf(header))
    let filled = 0
    this.name = header.name
    this.openBody(body.length, {
      write: (bytes) => {
        filled += bytes.copy(body, filled)
      },
      end: () => this.prefix.add(header.type, body),
    })
  }

  private entry(header: TarHeader, block: Buffer): void {
    const prefix = this.prefix.take()
    const { name, bodyBytes } = bodyOf(header, prefix)
    this.name = name
    const form = sparseFormOf(block, header.type, prefix.records, name)
    if (form !== undefined) {
      this.sparseEntry(header, prefix, block, { form, name, bodyBytes })
      return
    }
    const entry = tarEntryOf(header, prefix, { name, sizeBytes: bodyBytes })
    this.sink.entry(entry)
    if (entry.kind !== 'file') this.openBody(bodyBytes, skipped)
    else {
      this.openBody(bodyBytes, {
        write: (bytes) => this.sink.data(bytes),
        end: () => this.sink.entryEnd(),
      })
    }
  }

  private openBody(sizeBytes: number, target: BodyTarget): void {
    this.bodyBytes = sizeBytes
    this.paddingBytes = paddingOf(sizeBytes)
    this.target = target
    if (sizeBytes === 0) target.end()
  }

  private sparseEntry(
    header: TarHeader,
    prefix: EntryPrefix,
    block: Buffer,
    found: { readonly form: SparseForm; readonly name: string; readonly bodyBytes: number },
  ): void {
    const { form, name, bodyBytes } = found
    const entry = tarEntryOf(header, prefix, { name, sizeBytes: form.realSize })
    if (entry.kind !== 'file') throw layerInvalid(`a sparse ${entry.kind}`, name)
    this.sink.entry(entry)
    this.sparse = { form, name, segments: [], storedBytes: bodyBytes, text: '' }
    if (form.form === 'header') this.sparseHeader(this.sparse, block, true)
    else if (form.form === 'body') this.onBlock = this.sparseMapBlock
    else this.openSparse(this.sparse, form.map)
  }

  private sparseExtension(block: Buffer): void {
    if (this.sparse !== undefined) this.sparseHeader(this.sparse, block, false)
  }

  private sparseHeader(sparse: OpenSparse, block: Buffer, isHeader: boolean): void {
    const { segments, isExtended } = parseSparseBlock(block, isHeader, sparse.name)
    for (const segment of segments) sparse.segments.push(segment)
    if (isExtended) this.onBlock = this.sparseExtension
    else this.openSparse(sparse, sparse.segments)
  }

  private sparseMapBlock(block: Buffer): void {
    const { sparse } = this
    if (sparse === undefined) return
    sparse.storedBytes -= blockBytes
    sparse.text += block.toString('latin1')
    if (sparse.storedBytes < 0) throw layerInvalid('the map of a sparse file is cut', sparse.name)
    const map = parseBodyMap(sparse.text, sparse.name)
    if (map !== undefined) this.openSparse(sparse, map)
  }

  private openSparse(sparse: OpenSparse, map: readonly SparseSegment[]): void {
    const { form, name, storedBytes } = sparse
    checkSparseMap(map, form.realSize, storedBytes, name)
    this.sparse = undefined
    this.onBlock = this.header
    const body = new SparseBody(map, form.realSize, this.sink)
    this.openBody(storedBytes, {
      write: (bytes) => body.write(bytes),
      end: () => {
        body.end()
        this.sink.entryEnd()
      },
    })
  }
}

function paddingOf(sizeBytes: number): number {
  return (blockBytes - (sizeBytes % blockBytes)) % blockBytes
}
