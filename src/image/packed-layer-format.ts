/**
 * The bytes of a packed layer's file: a header of 16 bytes, stored blocks, the index, a trailer of 56
 * bytes. Numbers in the index are LEB128, strings and byte strings have their length before them.
 *
 *     header   magic 8, version u32, zero u32
 *     trailer  index position u64, index length u64, version u32, magic 4 bytes,
 *              sha256 of the index and of the 24 trailer bytes before
 *     index    blob digest, diff id (0 none, 1 sha256, 2 sha512, + bytes), compression kind and level,
 *              block size, library, tar bytes, fragments, entries
 */
import type { PackedEntry } from './packed-layer.ts'

/** Raised with every change of the form; a layer of another version is packed anew. */
export const packedLayerVersion = 2

export const headerBytes = 16
export const headerMagic: Buffer = Buffer.from('sregpack', 'latin1')

export const trailerBytes = 56
export const trailerMagic: Buffer = Buffer.from('PACK', 'latin1')
/** Trailer bytes that the checksum covers, and where it lies. */
export const checksumOffset = 24

/** Position in this list is the kind's number. */
export const entryKinds: readonly PackedEntry['kind'][] = [
  'directory',
  'file',
  'symlink',
  'hardlink',
  'char-device',
  'block-device',
  'fifo',
]

export const compressionKinds = ['none', 'gzip', 'zstd'] as const
export const digestAlgorithms = ['sha256', 'sha512'] as const
