/**
 * Cuts the contents of files into blocks and fragments (FORMATS § 1.6): files of a block or more get
 * blocks of their own, with a short last one; smaller ones share fragments in the order of the archive,
 * equal ones once. Blocks of zeros are holes.
 */
import { createHash, type Hash } from 'node:crypto'
import type { BuilderPart } from '../deflate/recoder.ts'
import type { BlockBuilder, BlockBuilders } from './block-builder.ts'
import type { PackedContent, PackedFragment } from './packed-layer.ts'

const noBlocks = new Uint32Array()

/** The content of a file that is being packed; complete when it has an identity. */
export type OpenContent = {
  -readonly [Field in keyof PackedContent]: PackedContent[Field]
}

export class FilePacker {
  /** Complete when the block store has been flushed. */
  readonly fragments: PackedFragment[] = []
  private readonly builders: BlockBuilders
  private readonly blockSize: number
  private readonly zeros: Buffer
  private large: LargeFile | undefined
  private readonly small: SmallFiles

  constructor(builders: BlockBuilders, blockSize: number) {
    this.builders = builders
    this.blockSize = blockSize
    this.zeros = Buffer.alloc(blockSize)
    this.small = new SmallFiles(this.zeros, builders.small, (part, sizeBytes) =>
      this.storeFragment(part, sizeBytes),
    )
  }

  /** Begins a file. Its bytes follow by data and hole, exactly as many as it says. */
  begin(sizeBytes: number): OpenContent {
    const content: OpenContent = {
      sizeBytes,
      identity: '',
      position: 0,
      blocks: noBlocks,
      fragment: undefined,
    }
    if (sizeBytes < this.blockSize) this.small.begin(content)
    else this.large = new LargeFile(content, this.builders.large, this.zeros)
    return content
  }

  /** Bytes that the builders take as they are. */
  data(bytes: Buffer): void {
    if (this.large === undefined) this.builders.small.append(bytes)
    else this.large.data(bytes)
  }

  hole(sizeBytes: number): void {
    if (this.large === undefined) this.builders.small.appendZeros(sizeBytes)
    else this.large.hole(sizeBytes)
  }

  end(): void {
    if (this.large === undefined) this.small.end()
    else this.large.end()
    this.large = undefined
  }

  /** Stores the last fragment. */
  finish(): void {
    this.small.finish()
  }

  private storeFragment(part: BuilderPart, sizeBytes: number): void {
    const index = this.fragments.length
    this.fragments.push({ position: 0, sizeWord: 0, sizeBytes })
    this.builders.small.store(part, (sizeWord, position) => {
      this.fragments[index] = { position, sizeWord, sizeBytes }
    })
  }
}

/**
 * A file of a block or more. Its identity is the sha256 of its size, the block size and, for each block
 * that is no hole, its number and its bytes: holes of any size cost nothing.
 */
class LargeFile {
  private readonly content: OpenContent
  private readonly builder: BlockBuilder
  private readonly zeros: Buffer
  private readonly blockSize: number
  private readonly identity: Hash
  private readonly words: Uint32Array
  private blocks = 0
  private rest: number
  private filled = 0
  private openBlocks = 1

  constructor(content: OpenContent, builder: BlockBuilder, zeros: Buffer) {
    const blockSize = zeros.length
    this.content = content
    this.builder = builder
    this.zeros = zeros
    this.blockSize = blockSize
    this.rest = content.sizeBytes
    this.words = new Uint32Array(Math.ceil(content.sizeBytes / blockSize))
    content.blocks = this.words
    this.identity = createHash('sha256').update(`${content.sizeBytes} ${blockSize}\n`)
  }

  data(bytes: Buffer): void {
    for (let offset = 0; offset < bytes.length; ) {
      const part = bytes.subarray(offset, offset + this.toBlockEnd)
      this.builder.append(part)
      this.added(part.length)
      offset += part.length
    }
  }

  /** Whole blocks of zeros are passed over; they may be many. */
  hole(sizeBytes: number): void {
    let left = sizeBytes
    while (left > 0) {
      const whole = this.filled === 0 ? Math.floor(left / this.blockSize) : 0
      if (whole > 0) {
        this.blocks += whole
        this.rest -= whole * this.blockSize
        left -= whole * this.blockSize
      } else {
        const part = Math.min(left, this.toBlockEnd)
        this.builder.appendZeros(part)
        this.added(part)
        left -= part
      }
    }
  }

  end(): void {
    this.closeBlock()
  }

  /** Bytes that complete the current block. */
  private get toBlockEnd(): number {
    return Math.min(this.blockSize - this.filled, this.rest)
  }

  private added(count: number): void {
    this.filled += count
    this.rest -= count
    if (this.filled === this.blockSize || this.rest === 0) this.block()
  }

  private block(): void {
    const number = this.blocks
    const { bytes } = this.builder
    this.blocks += 1
    this.filled = 0
    if (isZero(bytes, this.zeros)) {
      // its size word stays 0: a hole; nothing was marked, so all goes
      this.builder.truncate()
      return
    }
    this.openBlocks += 1
    this.identity.update(`${number}\n`).update(bytes)
    this.builder.store('whole', (sizeWord, position) => {
      if (this.content.position === 0) this.content.position = position
      this.words[number] = sizeWord
      this.closeBlock()
    })
  }

  /** The last one to close, the file's end or a block, completes the content. */
  private closeBlock(): void {
    this.openBlocks -= 1
    if (this.openBlocks === 0) {
      this.content.identity = `${largeMark}${this.identity.digest('binary')}`
    }
  }
}

/** Before the identity of files with blocks, so that no small file's content can have the same. */
const largeMark = 'B'

/** Where a content that was met before lies: one number each, since there may be millions. */
const positionFactor = 2 ** 21
const isZeros = -1

/** Files below a block. The last one may reach beyond the block that its fragment can hold. */
class SmallFiles {
  private readonly known = new Map<string, number>()
  private readonly zeros: Buffer
  private readonly builder: BlockBuilder
  private readonly onFragment: (part: BuilderPart, sizeBytes: number) => void
  private start = 0
  private fragment = 0
  private content: OpenContent | undefined

  constructor(
    zeros: Buffer,
    builder: BlockBuilder,
    onFragment: (part: BuilderPart, sizeBytes: number) => void,
  ) {
    this.zeros = zeros
    this.builder = builder
    this.onFragment = onFragment
  }

  begin(content: OpenContent): void {
    this.content = content
    this.builder.mark()
  }

  /** A file whose content is known, or is zeros, leaves nothing behind. */
  end(): void {
    const { content } = this
    if (content === undefined) return
    const bytes = this.builder.bytes.subarray(this.start)
    const identity = createHash('sha256').update(bytes).digest('binary')
    const known = this.known.get(identity)
    const place = known ?? this.place(bytes)
    if (known === undefined) this.known.set(identity, place)
    if (known !== undefined || place === isZeros) this.builder.truncate()
    else this.start += bytes.length
    content.identity = identity
    if (place === isZeros) content.blocks = new Uint32Array(bytes.length === 0 ? 0 : 1)
    else {
      content.fragment = {
        index: Math.floor(place / positionFactor),
        offset: place % positionFactor,
      }
    }
  }

  finish(): void {
    if (this.start > 0) this.onFragment('whole', this.start)
  }

  /** Where a new content lies; one that does not fit begins the next fragment. */
  private place(bytes: Buffer): number {
    if (isZero(bytes, this.zeros)) return isZeros
    if (this.start + bytes.length > this.zeros.length) {
      this.onFragment('marked', this.start)
      this.start = 0
      this.fragment += 1
    }
    return this.fragment * positionFactor + this.start
  }
}

function isZero(bytes: Buffer, zeros: Buffer): boolean {
  return zeros.compare(bytes, 0, bytes.length, 0, bytes.length) === 0
}
