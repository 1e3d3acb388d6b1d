/** Reads the bytes of files: data blocks, holes and tails in fragments (FORMATS § 1.6). */
import { SregistryError } from '../errors/sregistry-error.ts'
import type { BlockDecompressor } from './block-decompressor.ts'
import { damagedImage } from './damaged-image.ts'
import { blockRaw, blockSizeMask } from './format.ts'
import type { StoredFile } from './inode-reader.ts'
import type { LookupTableReader } from './lookup-table-reader.ts'
import type { MetadataReader } from './metadata-reader.ts'
import { type RandomAccessSource, readExactly } from './random-access-source.ts'

/** Blocks that are read and decompressed ahead of the one that is asked for. */
const blocksAhead = 4
/** Fragment blocks kept decompressed: neighbours in a tree share them. */
const keptFragments = 4
/** Size words read at once: 4 KiB. */
const wordsAtOnce = 1024

export type FileReaderParts = {
  readonly source: RandomAccessSource
  readonly decompressor: BlockDecompressor
  readonly blockSize: number
  /** Where the data ends at the latest. */
  readonly dataEnd: number
  readonly inodes: MetadataReader
  readonly fragments: LookupTableReader | undefined
}

type StoredBlock = { readonly position: number; readonly word: number; readonly sizeBytes: number }

export class FileReader {
  readonly #parts: FileReaderParts
  readonly #fragments = new Map<number, Promise<Uint8Array>>()

  constructor(parts: FileReaderParts) {
    this.#parts = parts
  }

  /** The bytes of a file in order, in pieces of at most a block. */
  async *read(file: StoredFile): AsyncGenerator<Uint8Array> {
    const started: Promise<Uint8Array>[] = []
    for await (const block of this.#blocksOf(file)) {
      started.push(startEarly(this.#readBlock(block)))
      if (started.length > blocksAhead) yield (await started.shift()) as Uint8Array
    }
    for (const block of started) yield await block
    if (file.fragment !== undefined) yield await this.#readTail(file)
  }

  /** The places of a file's blocks, from its size words. */
  async *#blocksOf(file: StoredFile): AsyncGenerator<StoredBlock> {
    const { blockSize, inodes } = this.#parts
    const words = inodes.cursor(file.wordsReference)
    const count = blockCount(file, blockSize)
    let { start: position, sizeBytes: left } = file
    for (let done = 0; done < count; done += wordsAtOnce) {
      const some = await words.read(4 * Math.min(wordsAtOnce, count - done))
      for (let at = 0; at < some.length; at += 4) {
        const word = some.readUInt32LE(at)
        const sizeBytes = Math.min(blockSize, left)
        yield { position, word, sizeBytes }
        position += word & blockSizeMask
        left -= sizeBytes
      }
    }
  }

  async #readBlock({ position, word, sizeBytes }: StoredBlock): Promise<Uint8Array> {
    if (word === 0) return new Uint8Array(sizeBytes)
    const block = await this.#decompress(position, word, sizeBytes)
    if (block.length !== sizeBytes) throw damagedImage('a data block has a wrong length')
    return block
  }

  async #decompress(position: number, word: number, maxBytes: number): Promise<Uint8Array> {
    const { source, decompressor, dataEnd } = this.#parts
    const storedBytes = word & blockSizeMask
    const isRaw = (word & blockRaw) !== 0
    const isTooLong = storedBytes > (isRaw ? maxBytes : this.#parts.blockSize)
    if (word >= 2 * blockRaw || storedBytes === 0 || isTooLong) {
      throw damagedImage('a data block has a wrong size')
    }
    if (position + storedBytes > dataEnd)
      throw damagedImage('a data block lies outside of the data')
    const stored = await readExactly(source, position, storedBytes)
    return isRaw ? stored : decompressor.decompress(stored, maxBytes)
  }

  async #readTail(file: StoredFile): Promise<Uint8Array> {
    const { index, offset } = file.fragment ?? { index: 0, offset: 0 }
    const tailBytes = file.sizeBytes % this.#parts.blockSize
    const fragment = await this.#fragment(index)
    if (tailBytes === 0 || offset + tailBytes > fragment.length) {
      throw damagedImage('the end of a file lies outside of its fragment')
    }
    return fragment.subarray(offset, offset + tailBytes)
  }

  #fragment(index: number): Promise<Uint8Array> {
    const known = this.#fragments.get(index)
    if (known !== undefined) return known
    for (const oldest of this.#fragments.keys()) {
      if (this.#fragments.size < keptFragments) break
      this.#fragments.delete(oldest)
    }
    const reading = this.#readFragment(index)
    this.#fragments.set(index, reading)
    return reading
  }

  async #readFragment(index: number): Promise<Uint8Array> {
    const { fragments, blockSize } = this.#parts
    if (fragments === undefined) throw damagedImage('a file needs a fragment and there are none')
    const entry = await fragments.entry(index)
    const position = entry.readBigUInt64LE(0)
    if (position >= BigInt(this.#parts.dataEnd))
      throw damagedImage('a fragment lies behind the data')
    return this.#decompress(Number(position), entry.readUInt32LE(8), blockSize)
  }
}

/** @throws {SregistryError} LIMIT_EXCEEDED for a file that is larger than its reader can take. */
export function checkFileSize(file: StoredFile, maxBytes: number, path: string): void {
  if (file.sizeBytes <= maxBytes) return
  throw new SregistryError(
    'LIMIT_EXCEEDED',
    `${path} has ${file.sizeBytes} bytes, more than the ${maxBytes} that are read`,
  )
}

function blockCount({ sizeBytes, fragment }: StoredFile, blockSize: number): number {
  return fragment === undefined
    ? Math.ceil(sizeBytes / blockSize)
    : Math.floor(sizeBytes / blockSize)
}

/** A failure of work that is ahead shows when its turn comes, or never if nobody reads on. */
function startEarly<T>(work: Promise<T>): Promise<T> {
  work.catch(() => undefined)
  return work
}
