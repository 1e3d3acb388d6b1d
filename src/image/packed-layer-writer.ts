/** Encodes the index of a packed layer and its trailer (packed-layer-format.ts). */
import { createHash } from 'node:crypto'
import type { Digest } from '../registry/digest.ts'
import { IndexEncoder } from './index-encoder.ts'
import type { PackedContent, PackedEntry, PackedLayer } from './packed-layer.ts'
import {
  checksumOffset,
  compressionKinds,
  digestAlgorithms,
  entryKinds,
  headerBytes,
  headerMagic,
  packedLayerVersion,
  trailerBytes,
  trailerMagic,
} from './packed-layer-format.ts'

/** What stands before the blocks. */
export function encodeHeader(): Buffer {
  const header = Buffer.alloc(headerBytes)
  headerMagic.copy(header)
  header.writeUInt32LE(packedLayerVersion, headerMagic.length)
  return header
}

/** Encodes entries as they become known, so that no more than their bytes is kept of them. */
export class EntryEncoder {
  /** How many there are. */
  count = 0
  private readonly encoder = new IndexEncoder()

  add(entry: PackedEntry): void {
    this.count += 1
    encodeEntry(this.encoder, entry)
  }

  get sizeBytes(): number {
    return this.encoder.sizeBytes
  }

  finish(): Buffer {
    return this.encoder.finish()
  }
}

export type LayerDescription = Omit<PackedLayer, 'path' | 'entries'>

/** What is known of a layer when all its blocks are in the file. */
export function encodeIndex(layer: LayerDescription, entries: EntryEncoder): Buffer {
  const encoder = new IndexEncoder()
  encodeDescription(encoder, layer)
  encoder.number(layer.fragments.length)
  for (const fragment of layer.fragments) {
    encoder.number(fragment.position)
    encoder.number(fragment.sizeWord)
    encoder.number(fragment.sizeBytes)
  }
  encoder.number(entries.count)
  return Buffer.concat([encoder.finish(), entries.finish()])
}

/** What follows the index. @param position Where the index begins in the file. */
export function encodeTrailer(index: Buffer, position: number): Buffer {
  const trailer = Buffer.alloc(trailerBytes)
  trailer.writeBigUInt64LE(BigInt(position), 0)
  trailer.writeBigUInt64LE(BigInt(index.length), 8)
  trailer.writeUInt32LE(packedLayerVersion, 16)
  trailerMagic.copy(trailer, 20)
  const covered = trailer.subarray(0, checksumOffset)
  createHash('sha256').update(index).update(covered).digest().copy(trailer, checksumOffset)
  return trailer
}

function encodeDescription(encoder: IndexEncoder, layer: LayerDescription): void {
  const { compression, blockSize } = layer.parameters
  encodeDigest(encoder, layer.blobDigest)
  encodeDigest(encoder, layer.diffId)
  encoder.number(compressionKinds.indexOf(compression.kind))
  encoder.number(compression.level)
  encoder.number(blockSize)
  encoder.latin1(layer.library)
  encoder.number(layer.tarBytes)
}

function encodeDigest(encoder: IndexEncoder, digest: Digest | undefined): void {
  if (digest === undefined) {
    encoder.number(0)
    return
  }
  encoder.number(digestAlgorithms.indexOf(digest.algorithm) + 1)
  encoder.bytes(Buffer.from(digest.hex, 'hex'))
}

function encodeEntry(encoder: IndexEncoder, entry: PackedEntry): void {
  encoder.number(entryKinds.indexOf(entry.kind))
  encoder.latin1(entry.path)
  encoder.number(entry.mode)
  encoder.number(entry.uid)
  encoder.number(entry.gid)
  encoder.number(entry.mtime)
  encoder.number(entry.xattrs?.size ?? 0)
  for (const [name, value] of entry.xattrs ?? []) {
    encoder.latin1(name)
    encoder.bytes(value)
  }
  if (entry.kind === 'file') encodeContent(encoder, entry.content)
  else if ('target' in entry) encoder.latin1(entry.target)
  else if ('major' in entry) {
    encoder.number(entry.major)
    encoder.number(entry.minor)
  }
}

function encodeContent(encoder: IndexEncoder, content: PackedContent): void {
  encoder.number(content.sizeBytes)
  encoder.latin1(content.identity)
  encoder.number(content.position)
  encoder.number(content.fragment === undefined ? 0 : content.fragment.index + 1)
  if (content.fragment === undefined) {
    encoder.number(content.blocks.length)
    for (const word of content.blocks) encoder.number(word)
  } else encoder.number(content.fragment.offset)
}
