/**
 * Writes a laid-out tree as a squashfs image: copied ranges, fragments packed anew, tables,
 * superblock, padding (FORMATS § 1.1). The output is complete only when this returns.
 */
import type { FileHandle } from 'node:fs/promises'
import { throwIfCancelled } from '../../errors/cancelled.ts'
import { headBytes, misleadsRuntimes } from '../../sif/detect-image.ts'
import type { BlockCompressor } from '../../squashfs/block-compressor.ts'
import { blockRaw } from '../../squashfs/format.ts'
import type { FragmentBlock } from '../../squashfs/inode.ts'
import {
  dataStart,
  type EncodedTables,
  encodeTables,
  encodeTree,
} from '../../squashfs/table-encoder.ts'
import { inTurns } from '../in-turns.ts'
import type { PackedLayer } from '../packed-layer.ts'
import type { DirectoryNode } from '../tree/node.ts'
import { writeFully } from '../write-fully.ts'
import { CopyThread } from './copy-thread.ts'
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
async function writeFrom(start: number, write: ImageWrite): Promise<number> {
  const copier = await startCopier(write.files, write.output)
  try {
    return await writeWith(copier, start, write)
  } finally {
    await copier.close()
  }
}

async function writeWith(
  copier: Copier,
  start: number,
  { output, root, layers, files, options }: ImageWrite,
): Promise<number> {
  const { blockSize } = options
  const layout = layOutImage(root, layers, { dataStart: start, blockSize })
  const stop = new AbortController()
  const either = { ...options, signal: anySignal(stop.signal, options.signal) }
  // copied and encoded at the same time: neither needs what the other makes
  const tasks = [
    writeRepacked(files, output, layout, layers, either),
    copyData(copier, layout, either),
    inTurns(encodeTree(root, options), 'writing the image', either.signal),
  ] as const
  try {
    const [repacked, , tree] = await Promise.all(tasks)
    const tables = encodeTables(tree, {
      dataEnd: repacked.end,
      fragments: [...layout.fragments, ...repacked.fragments],
      createdSeconds: options.createdSeconds,
      deduplicated: true,
    })
    await writeTables(output, tables, repacked.end, options.base)
    return tables.paddedBytes
  } finally {
    // the first that fails ends the others, and nobody writes any more when this returns
    stop.abort()
    await Promise.allSettled(tasks)
  }
}

function anySignal(stop: AbortSignal, given: AbortSignal | undefined): AbortSignal {
  return given === undefined ? stop : AbortSignal.any([stop, given])
}

/** Whether a runtime would take a bare squashfs for a SIF or a script: by its first bytes. */
async function misleads(output: FileHandle): Promise<boolean> {
  const { buffer, bytesRead } = await output.read(Buffer.alloc(headBytes), 0, headBytes, 0)
  return misleadsRuntimes(buffer.subarray(0, bytesRead))
}

type Copier = Pick<CopyThread, 'copy' | 'close'>

/** Less than this is copied before a thread has started. */
const threadFromBytes = 64 * 1024 * 1024

async function startCopier(files: LayerFiles, output: FileHandle): Promise<Copier> {
  if ((await files.sizeBytes()) >= threadFromBytes) return new CopyThread(files, output)
  return {
    copy: (ranges, options) => copyRanges(files, output, ranges, options),
    close: () => Promise.resolve(),
  }
}

async function copyData(
  copier: Copier,
  layout: ImageLayout,
  options: ImageWriteOptions,
): Promise<void> {
  let done = 0
  await copier.copy(layout.ranges, {
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
    throwIfCancelled(options.signal, 'writing the image')
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
  tables: EncodedTables,
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
