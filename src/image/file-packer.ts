/**
 * Cuts the contents of files into blocks and fragments (FORMATS § 1.6): files of a block or more get
 * blocks of their own, with a short last one; smaller ones share fragments in the order of the archive,
 * equal ones once. Blocks of zeros are holes.
 */
import { createHash, type Hash } from 'node:crypto'
import type { BlockStore } from './block-store.ts'
import type { PackedContent, PackedFragment } from './packed-layer.ts'

const noBlocks = new Uint32Array()

/** The content of a file that is being packed; complete when it has an identity. */
export type OpenContent = {
  -readonly [Field in keyof PackedContent]: PackedContent[Field]
}

export class FilePacker {
  /** Complete when the block store has been flushed. */
  readonly fragments: PackedFragment[] = []
  private readonly store: BlockStore
  private readonly blockSize: number
  private readonly zeros: Buffer
  private readonly buffers: BlockBuffers
  private large: LargeFile | undefined
  private readonly small: SmallFiles

  constructor(store: BlockStore, blockSize: number) {
    this.store = store
    this.blockSize = blockSize
    this.zeros = Buffer.alloc(blockSize)
    this.buffers = new BlockBuffers(blockSize)
    this.small = new SmallFiles(this.zeros, (tails) => this.storeFragment(tails))
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
    else this.large = new LargeFile(content, this.store, this.buffers, this.zeros)
    return content
  }

  /** The bytes must stay as they are until the store has them. */
  data(bytes: Buffer): void {
    if (this.large === undefined) this.small.data(bytes)
    else this.large.data(bytes)
  }

  hole(sizeBytes: number): void {
    let rest = sizeBytes
    while (rest > 0) rest -= this.large?.skipBlocks(rest) || this.zeroBytes(rest)
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

  private zeroBytes(atMost: number): number {
    const part = this.zeros.subarray(0, Math.min(atMost, this.large?.toBlockEnd ?? atMost))
    this.data(part)
    return part.length
  }

  private storeFragment(tails: Buffer): void {
    const index = this.fragments.length
    this.fragments.push({ position: 0, sizeWord: 0, sizeBytes: tails.length })
    this.store.submit(tails, (stored, sizeWord, position) => {
      if (stored !== tails) this.small.recycle(tails)
      this.fragments[index] = { position, sizeWord, sizeBytes: tails.length }
    })
  }
}

/**
 * A file of a block or more. Its identity is the sha256 of its size, the block size, and its size words
 * and stored blocks, marked as such: exact, since a block is compressed in one way only, and cheaper
 * than the bytes themselves, since stored ones are fewer.
 */
class LargeFile {
  private readonly content: OpenContent
  private readonly store: BlockStore
  private readonly zeros: Buffer
  private readonly buffers: BlockBuffers
  private readonly blockSize: number
  private readonly identity: Hash
  private readonly words: Uint32Array
  private submitted = 0
  private rest: number
  private pending: Buffer | undefined
  private pendingBytes = 0
  private openBlocks = 1

  constructor(content: OpenContent, store: BlockStore, buffers: BlockBuffers, zeros: Buffer) {
    const blockSize = zeros.length
    this.content = content
    this.store = store
    this.buffers = buffers
    this.zeros = zeros
    this.blockSize = blockSize
    this.rest = content.sizeBytes
    this.words = new Uint32Array(Math.ceil(content.sizeBytes / blockSize))
    content.blocks = this.words
    this.identity = createHash('sha256').update(`${content.sizeBytes} ${blockSize}\n`)
  }

  /** Bytes that complete the current block. */
  get toBlockEnd(): number {
    return this.blockSize - this.pendingBytes
  }

  /** Blocks are taken as views where one chunk holds them whole. */
  data(bytes: Buffer): void {
    let offset = 0
    while (offset < bytes.length) {
      const wanted = Math.min(this.blockSize, this.rest + this.pendingBytes)
      if (this.pendingBytes === 0 && bytes.length - offset >= wanted) {
        this.rest -= wanted
        this.block(bytes.subarray(offset, offset + wanted))
        offset += wanted
      } else offset += this.collect(bytes, offset, wanted)
    }
  }

  /** Leaves out whole blocks of zeros. @returns how many bytes they are, 0 inside a block. */
  skipBlocks(zeroBytes: number): number {
    if (this.pendingBytes > 0) return 0
    const count = Math.floor(zeroBytes / this.blockSize)
    this.submitted += count
    this.rest -= count * this.blockSize
    return count * this.blockSize
  }

  end(): void {
    this.closeBlock()
  }

  private collect(bytes: Buffer, offset: number, wanted: number): number {
    this.pending ??= this.buffers.take()
    const end = Math.min(bytes.length, offset + wanted - this.pendingBytes)
    const copied = bytes.copy(this.pending, this.pendingBytes, offset, end)
    this.pendingBytes += copied
    this.rest -= copied
    if (this.pendingBytes === wanted) {
      const block = this.pending.subarray(0, wanted)
      this.pending = undefined
      this.pendingBytes = 0
      this.block(block, block)
    }
    return copied
  }

  /** @param own The block when it is a buffer of ours, which can then be used again. */
  private block(block: Buffer, own?: Buffer): void {
    const number = this.submitted
    this.submitted += 1
    if (isZero(block, this.zeros)) {
      this.buffers.giveBack(own)
      return // its size word stays 0: a hole
    }
    this.openBlocks += 1
    this.store.submit(block, (stored, sizeWord, position) => {
      if (this.content.position === 0) this.content.position = position
      this.words[number] = sizeWord
      this.identity.update(stored)
      if (stored !== block) this.buffers.giveBack(own)
      this.closeBlock()
    })
  }

  /** The last one to close, the file's end or a block, completes the content. */
  private closeBlock(): void {
    this.openBlocks -= 1
    if (this.openBlocks > 0) return
    const { buffer, byteOffset, byteLength } = this.words
    this.identity.update(new Uint8Array(buffer, byteOffset, byteLength))
    this.content.identity = `${largeMark}${this.identity.digest('binary')}`
  }
}

/** Buffers of one block, used again: what is allocated anew for each block soon asks for collections. */
class BlockBuffers {
  private readonly free: ArrayBufferLike[] = []
  private readonly blockSize: number

  constructor(blockSize: number) {
    this.blockSize = blockSize
  }

  take(): Buffer {
    const buffer = this.free.pop()
    return buffer === undefined ? Buffer.allocUnsafeSlow(this.blockSize) : Buffer.from(buffer)
  }

  giveBack(buffer: Buffer | undefined): void {
    if (buffer !== undefined) this.free.push(buffer.buffer)
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
  private readonly onFragment: (tails: Buffer) => void
  private readonly buffers: BlockBuffers
  private buffer: Buffer
  private filled = 0
  private start = 0
  private fragment = 0
  private content: OpenContent | undefined

  constructor(zeros: Buffer, onFragment: (tails: Buffer) => void) {
    this.zeros = zeros
    this.onFragment = onFragment
    this.buffers = new BlockBuffers(2 * zeros.length)
    this.buffer = this.buffers.take()
  }

  begin(content: OpenContent): void {
    this.content = content
    this.start = this.filled
  }

  data(bytes: Buffer): void {
    this.filled += bytes.copy(this.buffer, this.filled)
  }

  /** A file whose content is known, or is zeros, leaves nothing behind. */
  end(): void {
    const { content } = this
    if (content === undefined) return
    const bytes = this.buffer.subarray(this.start, this.filled)
    const identity = createHash('sha256').update(bytes).digest('binary')
    const known = this.known.get(identity)
    const place = known ?? this.place(bytes)
    if (known === undefined) this.known.set(identity, place)
    if (known !== undefined || place === isZeros) this.filled = this.start
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
    if (this.filled > 0) this.cut(this.filled)
  }

  /** Takes back the buffer of a fragment that is stored. */
  recycle(tails: Buffer): void {
    this.buffers.giveBack(tails)
  }

  private place(bytes: Buffer): number {
    if (isZero(bytes, this.zeros)) return isZeros
    if (this.filled > this.zeros.length) this.cut(this.start)
    return this.fragment * positionFactor + this.start
  }

  /** Stores the first bytes as a fragment; what follows them begins the next. */
  private cut(bytes: number): void {
    const old = this.buffer
    this.buffer = this.buffers.take()
    this.filled = old.copy(this.buffer, 0, bytes, this.filled)
    this.start = 0
    this.fragment += 1
    this.onFragment(old.subarray(0, bytes))
  }
}

/** memcmp stops at the first byte that differs: nearly free for anything but zeros. */
function isZero(bytes: Buffer, zeros: Buffer): boolean {
  return zeros.compare(bytes, 0, bytes.length, 0, bytes.length) === 0
}
