/** Guards against hostile layers (FAULTS § 3). Each refusal names the limit. */
import { SregistryError } from '../errors/sregistry-error.ts'

export type LayerLimits = {
  /** Default 5,000,000: large conda images hold one to two million. */
  readonly maxEntries: number
  /** Default 500 MB of names, owners and places, a hundred bytes for each of so many entries: all are read at once. */
  readonly maxIndexBytes: number
  /** Default 256 GiB of tar stream and of files with their holes, each. */
  readonly maxUnpackedBytes: number
  /** Unpacked bytes for each byte of the blob, once maxRatioFreeBytes have passed. */
  readonly maxRatio: { readonly gzip: number; readonly zstd: number }
  /** Below this no ratio is looked at: a file of zeros is honest. Default 1 GiB. */
  readonly ratioFreeBytes: number
}

export const defaultLayerLimits: LayerLimits = {
  maxEntries: 5_000_000,
  // read as one string, which V8 bounds at 2^29 - 24 chars
  maxIndexBytes: 500_000_000,
  maxUnpackedBytes: 256 * 2 ** 30,
  // deflate can't pass 1,032; zstd reached 31,745 on zeros, and no honest layer is all zeros
  maxRatio: { gzip: 1100, zstd: 5000 },
  ratioFreeBytes: 2 ** 30,
}

/** Counts what one layer unpacks to. */
export class LayerMeter {
  private entries = 0
  private fileBytes = 0
  private readonly limits: LayerLimits

  constructor(limits: LayerLimits) {
    this.limits = limits
  }

  /** @throws {SregistryError} LIMIT_EXCEEDED. */
  countEntry(): void {
    this.entries += 1
    if (this.entries > this.limits.maxEntries) {
      throw limitExceeded('maxEntries', `more than ${this.limits.maxEntries} entries`)
    }
  }

  /** @throws {SregistryError} LIMIT_EXCEEDED. */
  checkIndex(bytes: number): void {
    if (bytes > this.limits.maxIndexBytes) {
      throw limitExceeded('maxIndexBytes', `more than ${this.limits.maxIndexBytes} bytes of names`)
    }
  }

  /** @throws {SregistryError} LIMIT_EXCEEDED. */
  countFile(sizeBytes: number): void {
    this.fileBytes += sizeBytes
    this.checkUnpacked(this.fileBytes)
  }

  /** @throws {SregistryError} LIMIT_EXCEEDED. */
  checkUnpacked(bytes: number): void {
    if (bytes > this.limits.maxUnpackedBytes) {
      throw limitExceeded('maxUnpackedBytes', `more than ${this.limits.maxUnpackedBytes} bytes`)
    }
  }

  /** @throws {SregistryError} LIMIT_EXCEEDED. */
  checkRatio(kind: 'gzip' | 'zstd', blobBytes: number, unpackedBytes: number): void {
    const { maxRatio, ratioFreeBytes } = this.limits
    if (unpackedBytes <= ratioFreeBytes || unpackedBytes <= blobBytes * maxRatio[kind]) return
    throw limitExceeded('maxRatio', `more than ${maxRatio[kind]} bytes for each of the blob`)
  }
}

function limitExceeded(limit: keyof LayerLimits, what: string): SregistryError {
  return new SregistryError('LIMIT_EXCEEDED', `the layer unpacks to ${what} (${limit})`, {
    hint: 'if you trust this image, raise the limit',
  })
}
