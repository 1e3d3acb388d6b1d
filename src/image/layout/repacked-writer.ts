/** Writes the fragments that are packed anew, one after the other behind what is copied. */
import { throwIfCancelled } from '../../errors/cancelled.ts'
import type { BlockCompressor } from '../../squashfs/block-compressor.ts'
import { blockRaw } from '../../squashfs/format.ts'
import type { FragmentBlock } from '../../squashfs/inode.ts'
import type { OpenFile } from '../../storage/thread-file.ts'
import type { PackedLayer } from '../packed-layer.ts'
import { writeFully } from '../write-fully.ts'
import type { MovedTail, RepackedFragment } from './fragment-repacking.ts'
import { type ImageLayout, storedSize } from './image-layout.ts'
import type { LayerFiles } from './range-copy.ts'

export type RepackedTarget = {
  readonly output: OpenFile
  /** Where the squashfs image begins in the output. */
  readonly base: number
  readonly compressor: BlockCompressor
  readonly blockSize: number
  readonly signal?: AbortSignal | undefined
}

/** @returns the new fragment blocks, and where the last one ends. */
export async function writeRepacked(
  files: LayerFiles,
  layout: ImageLayout,
  layers: readonly PackedLayer[],
  options: RepackedTarget,
): Promise<{ readonly fragments: readonly FragmentBlock[]; readonly end: number }> {
  const reader = new FragmentReader(files, layers, options)
  const fragments: FragmentBlock[] = []
  let end = layout.copiedEnd
  for (const fragment of layout.repacked) {
    throwIfCancelled(options.signal, 'writing the image')
    const bytes = await joinTails(fragment, reader)
    const stored = await options.compressor.compress(bytes)
    const isRaw = stored.length >= bytes.length
    await writeFully(options.output, isRaw ? bytes : stored, options.base + end)
    const sizeWord = isRaw ? bytes.length | blockRaw : stored.length
    fragments.push({ position: end, sizeWord })
    end += storedSize(sizeWord)
  }
  return { fragments, end }
}

async function joinTails(fragment: RepackedFragment, reader: FragmentReader): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  for (const tail of fragment.tails) {
    const block = await reader.read(tail)
    parts.push(block.subarray(tail.offset, tail.offset + tail.sizeBytes))
  }
  return Buffer.concat(parts)
}

/** Decompresses fragment blocks of layers; keeps the last one, since tails come in order. */
class FragmentReader {
  private last:
    | { readonly source: number; readonly index: number; readonly bytes: Uint8Array }
    | undefined
  private readonly files: LayerFiles
  private readonly layers: readonly PackedLayer[]
  private readonly options: RepackedTarget

  constructor(files: LayerFiles, layers: readonly PackedLayer[], options: RepackedTarget) {
    this.files = files
    this.layers = layers
    this.options = options
  }

  async read({ source, index }: MovedTail): Promise<Uint8Array> {
    if (this.last?.source !== source || this.last.index !== index) {
      this.last = { source, index, bytes: await this.decompress(source, index) }
    }
    return this.last.bytes
  }

  private async decompress(source: number, index: number): Promise<Uint8Array> {
    const block = this.layers[source]?.fragments[index]
    if (block === undefined) throw new RangeError(`layer ${source} has no fragment ${index}`)
    const stored = Buffer.allocUnsafe(storedSize(block.sizeWord))
    await this.files.read(source, stored, block.position)
    if ((block.sizeWord & blockRaw) !== 0) return stored
    return this.options.compressor.decompressSync(stored, this.options.blockSize)
  }
}
