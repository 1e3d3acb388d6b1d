/**
 * Writes a laid-out tree as a squashfs image: copied ranges, fragments packed anew, tables,
 * superblock, padding (FORMATS § 1.1). The output is complete only when this returns.
 */
import type { FileHandle } from 'node:fs/promises'
import { headBytes, misleadsRuntimes } from '../../sif/detect-image.ts'
import type { BlockCompressor } from '../../squashfs/block-compressor.ts'
import { blockRaw } from '../../squashfs/format.ts'
import type { FragmentBlock } from '../../squashfs/inode.ts'
import { dataStart, encodeSquashfsTables } from '../../squashfs/table-encoder.ts'
import type { PackedLayer } from '../packed-layer.ts'
import type { DirectoryNode } from '../tree/node.ts'
import { writeFully } from '../write-fully.ts'
import type { MovedTail, RepackedFragment } from './fragment-repacking.ts'
import { type ImageLayout, layOutImage, storedSize } from './image-layout.ts'
import { copyRanges, LayerFiles } from './range-copy.ts'

export type ImageWriteOptions = {
  /** Where the squashfs image begins in the output; 0 but for SIF. */
  readonly base: number
  readonly blockSize: number
  /** The file system's time: seconds since 1970, unsigned 32 bit. */
  readonly createdSeconds: number
  readonly compressor: BlockCompressor
  readonly onProgress?: (done: number, total: number) => void
  readonly signal?: AbortSignal | undefined
}

/**
 * Writes the image of a tree whose files lie in these layers.
 * @returns the padded length of the squashfs image in bytes, a multiple of 4096.
 * @throws {SregistryError} CANCELLED, LIMIT_EXCEEDED (more than 65,535 ids), IMAGE_INVALID (a damaged
 *   packed layer).
 */
export async function writeSquashfsImage(
  output: FileHandle,
  root: DirectoryNode,
  layers: readonly PackedLayer[],
  options: ImageWriteOptions,
): Promise<number> {
  const files = new LayerFiles(layers.map((layer) => layer.path))
  try {
    await files.open()
    const start = dataStart(options.compressor.compression)
    const write = { output, root, layers, files, options }
    const paddedBytes = await writeFrom(start, write)
    if (options.base > 0 || !(await misleads(output))) return paddedBytes
    // once more with the data behind what a runtime looks at; zeros may stand before it
    await writeFully(output, new Uint8Array(headBytes), 0)
    return await writeFrom(headBytes, write)
  } finally {
    await files.close()
  }
}

type ImageWrite = {
  readonly output: FileHandle
  readonly root: DirectoryNode
  readonly layers: readonly PackedLayer[]
  readonly files: LayerFiles
  readonly options: ImageWriteOptions
}

/** Writes the image with its data from this position on. @returns the padded length in bytes. */
async function writeFrom(
  start: number,
  { output, root, layers, files, options }: ImageWrite,
): Promise<number> {
  const { blockSize, compressor } = options
  const layout = layOutImage(root, layers, { dataStart: start, blockSize })
  await copyData(files, output, layout, options)
  const repacked = await writeRepacked(files, output, layout, layers, options)
  const tables = encodeSquashfsTables(root, {
    dataEnd: repacked.end,
    fragments: [...layout.fragments, ...repacked.fragments],
    compressor,
    blockSize,
    createdSeconds: options.createdSeconds,
    deduplicated: true,
  })
  await writeTables(output, tables, repacked.end, options.base)
  return tables.paddedBytes
}

/** Whether a runtime would take a bare squashfs for a SIF or a script: by its first bytes. */
async function misleads(output: FileHandle): Promise<boolean> {
  const { buffer, bytesRead } = await output.read(Buffer.alloc(headBytes), 0, headBytes, 0)
  return misleadsRuntimes(buffer.subarray(0, bytesRead))
}

async function copyData(
  files: LayerFiles,
  output: FileHandle,
  layout: ImageLayout,
  options: ImageWriteOptions,
): Promise<void> {
  let done = 0
  await copyRanges(files, output, layout.ranges, {
    base: options.base,
    signal: options.signal,
    onBytes: (bytes) => {
      done += bytes
      options.onProgress?.(done, layout.copiedEnd)
    },
  })
}

async function writeRepacked(
  files: LayerFiles,
  output: FileHandle,
  layout: ImageLayout,
  layers: readonly PackedLayer[],
  options: ImageWriteOptions,
): Promise<{ readonly fragments: readonly FragmentBlock[]; readonly end: number }> {
  const reader = new FragmentReader(files, layers, options)
  const fragments: FragmentBlock[] = []
  let end = layout.copiedEnd
  for (const fragment of layout.repacked) {
    const bytes = await joinTails(fragment, reader)
    const stored = await options.compressor.compress(bytes)
    const isRaw = stored.length >= bytes.length
    await writeFully(output, isRaw ? bytes : stored, options.base + end)
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
  private readonly options: ImageWriteOptions

  constructor(files: LayerFiles, layers: readonly PackedLayer[], options: ImageWriteOptions) {
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

async function writeTables(
  output: FileHandle,
  tables: ReturnType<typeof encodeSquashfsTables>,
  start: number,
  base: number,
): Promise<void> {
  const bytes = Buffer.concat([
    ...tables.tables,
    Buffer.alloc(tables.paddedBytes - tables.bytesUsed),
  ])
  await writeFully(output, bytes, base + start)
  await writeFully(output, tables.superblock, base)
}
