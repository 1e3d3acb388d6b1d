/**
 * Composing an image of packed layers: all of it that is not copying. Their entries are merged, the result is
 * laid out, and the tables are written. Small images are composed here, larger ones by a thread
 * (compose-thread.ts) that does the same.
 */
import type { Descriptor } from '../../registry/descriptor.ts'
import type { Digest } from '../../registry/digest.ts'
import { type BlockCompressor, createBlockCompressor } from '../../squashfs/block-compressor.ts'
import type { TableBlockSink } from '../../squashfs/inode-tables.ts'
import { LinkedTables, type StoredTables } from '../../squashfs/linked-tables.ts'
import { type EncodedTree, encodeTables, encodeTree } from '../../squashfs/table-encoder.ts'
import type { TreeSource } from '../../squashfs/tree-source.ts'
import { type OpenFile, openInThread } from '../../storage/thread-file.ts'
import { inTurns } from '../in-turns.ts'
import { namedLayer } from '../layer-failure.ts'
import { type ImageLayout, layOutImage } from '../layout/image-layout.ts'
import { LayerFiles } from '../layout/range-copy.ts'
import { writeRepacked } from '../layout/repacked-writer.ts'
import type { PackedLayer } from '../packed-layer.ts'
import type { PackingParameters } from '../packing-parameters.ts'
import { layerSteps } from '../tree/apply-layer.ts'
import { applyMetadataLayer } from '../tree/apply-metadata-layer.ts'
import { type FlatImageTree, ImageTree } from '../tree/node.ts'
import type { Ownership } from '../tree/ownership.ts'
import { writeFully } from '../write-fully.ts'
import { LayerIndexes } from './layer-indexes.ts'

/** What is to be known before anything is read. Plain data, since it may go to a thread. */
export type ComposeOptions = Ownership & {
  readonly parameters: PackingParameters
  /** The file that is there for the image, and where the squashfs image begins in it: 0 but for SIF. */
  readonly outputPath: string
  readonly base: number
}

/** An image. Plain data as well. */
export type ComposeOrder = {
  /** Paths of the packed layers, lowest first, the metadata layer last. */
  readonly paths: readonly string[]
  /** Of the image, lowest first: errors name them. */
  readonly layers: readonly Descriptor[]
  /** The file system's time, and that of directories that no layer describes: seconds since 1970, 32 bits. */
  readonly createdSeconds: number
  /** Where the data may begin in the squashfs image. */
  readonly dataStart: number
}

/** What is to be copied, and to where. */
export type CopyPlan = Pick<ImageLayout, 'ranges' | 'copiedEnd'>

/** Composes one image. Its maker closes it; closing twice is harmless. */
export type Composer = {
  /**
   * Reads the index of a packed layer, for later too.
   * @returns its diff id.
   * @throws as `readPackedLayer`.
   */
  read(path: string): Promise<Digest>
  /**
   * Merges packed layers and says what is to be copied.
   * @throws {SregistryError} CANCELLED, LAYER_INVALID, IMAGE_INVALID.
   */
  layOut(order: ComposeOrder): Promise<CopyPlan>
  /**
   * Writes all of the image that was last laid out but what is copied.
   * @returns the padded length of the squashfs image in bytes, a multiple of 4096.
   * @throws {SregistryError} CANCELLED, LIMIT_EXCEEDED (more than 65,535 ids), IMAGE_INVALID; system errors.
   */
  write(): Promise<number>
  close(): Promise<void>
}

/** Compresses the inode and the directory table of one image. */
export type TableStore = {
  readonly store: TableBlockSink
  /** @param rootReference Of the root's inode, its block by number. */
  finish(rootReference: number): StoredTables | Promise<StoredTables>
}

export type LocalComposerOptions = {
  readonly onNote: (text: string) => void
  readonly signal?: AbortSignal | undefined
  /** Made anew for each image that is written; by default they are compressed here. */
  readonly makeTables?: () => TableStore
}

type Place = {
  readonly createdSeconds: number
  readonly layout: ImageLayout
  readonly layers: readonly PackedLayer[]
  readonly tree: FlatImageTree
}

export class LocalComposer implements Composer {
  readonly #options: ComposeOptions
  readonly #onNote: (text: string) => void
  readonly #signal: AbortSignal | undefined
  readonly #compressor: BlockCompressor
  readonly #makeTables: () => TableStore
  readonly #stop = new AbortController()
  readonly #cancel = () => this.#stop.abort(this.#signal?.reason)
  readonly #indexes: LayerIndexes
  #tree = new ImageTree()
  /** The layers that have been merged; the metadata layer ends the merging. */
  #merged: readonly PackedLayer[] = []
  /** Of the merging, which may begin anew: told when it has ended. */
  #notes: string[] = []
  #place: Place | undefined

  constructor(
    options: ComposeOptions,
    { onNote, signal, makeTables = () => new LinkedTables(this.#compressor) }: LocalComposerOptions,
  ) {
    this.#options = options
    this.#indexes = new LayerIndexes(options)
    this.#onNote = onNote
    this.#signal = signal
    this.#compressor = createBlockCompressor(options.parameters.compression)
    this.#makeTables = makeTables
    signal?.addEventListener('abort', this.#cancel, { once: true })
    if (signal?.aborted) this.#cancel()
  }

  async read(path: string): Promise<Digest> {
    return (await this.#indexes.read(path)).diffId
  }

  /** Merges the next layer before all of them are known: `layOut` begins anew where it was not the next. */
  async merge(path: string): Promise<void> {
    await this.#merge(await this.#indexes.read(path))
  }

  /** Forgets what was merged. */
  restart(): void {
    this.#tree = new ImageTree()
    this.#merged = []
    this.#notes = []
  }

  async layOut(order: ComposeOrder): Promise<CopyPlan> {
    const { createdSeconds, dataStart } = order
    const layers = await Promise.all(order.paths.map((path) => this.#indexes.read(path)))
    try {
      if (!isSame(this.#merged, layers)) await this.#mergeAll(layers, order.layers)
    } finally {
      for (const text of this.#notes.splice(0)) this.#onNote(text)
    }
    const { blockSize } = this.#options.parameters
    const tree = this.#tree.flatten(createdSeconds)
    const layout = layOutImage(tree, layers, { dataStart, blockSize })
    this.#place = { createdSeconds, layout, layers, tree }
    const { ranges, copiedEnd } = layout
    return { ranges, copiedEnd }
  }

  async write(): Promise<number> {
    if (this.#place === undefined) throw new RangeError('nothing has been laid out')
    const { layers } = this.#place
    const files = new LayerFiles(layers.map(({ path }) => path))
    const output = await openInThread(this.#options.outputPath, 'r+')
    try {
      await files.open()
      return await this.#writeTo(output, files, this.#place)
    } finally {
      await files.close()
      await output.close()
    }
  }

  async close(): Promise<void> {
    this.#signal?.removeEventListener('abort', this.#cancel)
    this.#stop.abort()
  }

  async #mergeAll(all: readonly PackedLayer[], named: readonly Descriptor[]): Promise<void> {
    const layers = all.slice(0, -1)
    if (!isSame(this.#merged, layers.slice(0, this.#merged.length))) this.restart()
    for (const layer of layers.slice(this.#merged.length)) await this.#mergeNamed(layer, named)
    const metadata = all[all.length - 1]
    const application = { layer: layers.length }
    if (metadata !== undefined) applyMetadataLayer(this.#tree, metadata.entries, application)
    this.#merged = all
  }

  async #mergeNamed(layer: PackedLayer, named: readonly Descriptor[]): Promise<void> {
    const number = this.#merged.length
    try {
      await this.#merge(layer)
    } catch (error) {
      throw namedLayer(error, number, named)
    }
  }

  async #merge(layer: PackedLayer): Promise<void> {
    const number = this.#merged.length
    const onNote = (text: string) => this.#notes.push(text)
    const steps = layerSteps(this.#tree, layer.entries, { layer: number, onNote })
    await inTurns(steps, 'merging the layers', this.#stop.signal)
    this.#merged = [...this.#merged, layer]
  }

  async #writeTo(
    output: OpenFile,
    files: LayerFiles,
    { createdSeconds, layout, layers, tree: source }: Place,
  ): Promise<number> {
    const { base, parameters } = this.#options
    const { blockSize } = parameters
    const compressor = this.#compressor
    const target = { output, base, compressor, blockSize, signal: this.#stop.signal }
    const repacking = writeRepacked(files, layout, layers, target)
    const encoding = this.#encodeTree(source)
    // neither is left behind when the other fails
    await Promise.allSettled([repacking, encoding])
    const { fragments, end } = await repacking
    const { tree, stored } = await encoding
    const tables = encodeTables(tree, stored, {
      dataEnd: end,
      fragments: [...layout.fragments, ...fragments],
      createdSeconds,
      deduplicated: true,
    })
    const padding = Buffer.alloc(tables.paddedBytes - tables.bytesUsed)
    await writeFully(output, Buffer.concat([...tables.tables, padding]), base + end)
    await writeFully(output, tables.superblock, base)
    // what was copied ahead may have gone further
    await output.truncate(base + tables.paddedBytes)
    return tables.paddedBytes
  }

  async #encodeTree(
    source: TreeSource,
  ): Promise<{ readonly tree: EncodedTree; readonly stored: StoredTables }> {
    const tables = this.#makeTables()
    const steps = encodeTree(source, {
      compressor: this.#compressor,
      blockSize: this.#options.parameters.blockSize,
      storeBlock: (table, bytes, references) => tables.store(table, bytes, references),
    })
    const tree = await inTurns(steps, 'writing the image', this.#stop.signal)
    return { tree, stored: await tables.finish(tree.rootReference) }
  }
}

function isSame(a: readonly PackedLayer[], b: readonly PackedLayer[]): boolean {
  return a.length === b.length && a.every((layer, index) => layer === b[index])
}
