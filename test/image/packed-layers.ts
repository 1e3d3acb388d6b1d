/** Packs tar archives into scratch files, and reads back what files hold. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type PackLayerOptions, packLayer } from '../../src/image/pack-layer.ts'
import type { PackedEntry, PackedLayer } from '../../src/image/packed-layer.ts'
import { PackingSlots } from '../../src/image/packing-slots.ts'
import { type BlockCompressor, createBlockCompressor } from '../../src/squashfs/block-compressor.ts'

export const blockSize = 4096

export async function withScratch<T>(work: (directory: string) => Promise<T>): Promise<T> {
  const directory = mkdtempSync(join(tmpdir(), 'sregistry-pack-'))
  try {
    return await work(directory)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

export async function* inPieces(bytes: Uint8Array, size = 65_536): AsyncGenerator<Uint8Array> {
  for (let i = 0; i < bytes.length; i += size) yield bytes.subarray(i, i + size)
}

export function pack(
  blob: Uint8Array,
  path: string,
  options: Partial<PackLayerOptions> & { readonly pieceBytes?: number } = {},
): Promise<PackedLayer> {
  const compression = { kind: 'gzip', level: 5 } as const
  return packLayer(inPieces(blob, options.pieceBytes), {
    path,
    parameters: { compression, blockSize },
    compressor: createBlockCompressor(compression),
    slots: new PackingSlots(),
    ...options,
  })
}

/** The bytes of a packed file, as latin1. */
export function contentOf(layer: PackedLayer, entry: PackedEntry | undefined): string {
  if (entry?.kind !== 'file') throw new Error('no file')
  const compressor = createBlockCompressor(layer.parameters.compression)
  const stored = readFileSync(layer.path)
  const { content } = entry
  if (content.fragment !== undefined) {
    const { index, offset } = content.fragment
    const fragment = layer.fragments[index]
    if (fragment === undefined) throw new Error('no fragment')
    const bytes = blockAt(stored, fragment.position, fragment.sizeWord, compressor)
    return bytes.subarray(offset, offset + content.sizeBytes).toString('latin1')
  }
  let { position } = content
  const blocks = [...content.blocks].map((word, i) => {
    const sizeBytes = Math.min(blockSize, content.sizeBytes - i * blockSize)
    const block = word === 0 ? Buffer.alloc(sizeBytes) : blockAt(stored, position, word, compressor)
    position += word % 0x1000000
    return block
  })
  return Buffer.concat(blocks).toString('latin1')
}

function blockAt(
  file: Buffer,
  position: number,
  word: number,
  compressor: BlockCompressor,
): Buffer {
  const stored = file.subarray(position, position + (word % 0x1000000))
  return word >= 0x1000000 ? stored : Buffer.from(compressor.decompressSync(stored, blockSize))
}
