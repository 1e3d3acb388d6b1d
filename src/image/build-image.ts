/**
 * Makes an image file of a container image: packs its layers, merges them, puts the metadata layer on
 * top, lays the result out and writes it as squashfs or SIF (DESIGN § 2).
 */
import { formatDigest } from '../registry/digest.ts'
import { partitionAlignment } from '../sif/sif-format.ts'
import { sifPrefix } from '../sif/sif-writer.ts'
import { type BlockCompressor, createBlockCompressor } from '../squashfs/block-compressor.ts'
import { dataStart } from '../squashfs/table-encoder.ts'
import type { AtomicFile } from '../storage/atomic-file.ts'
import { diskError, isSystemError } from '../storage/disk-error.ts'
import { BegunImage } from './begun-image.ts'
import type { BuildEvent } from './build-event.ts'
import { ComposeThread } from './compose/compose-thread.ts'
import { type ComposeOptions, type Composer, LocalComposer } from './compose/composer.ts'
import type { ImageSource } from './image-source.ts'
import type { ImageThreads } from './image-threads.ts'
import { LayerLines } from './layer-lines.ts'
import { type PackedLayers, packLayers } from './layer-packing.ts'
import type { LayerStore } from './layer-store.ts'
import { isWorthCopyingAhead } from './layout/copy-ahead.ts'
import type { CopiedRange } from './layout/image-layout.ts'
import { writeSquashfsImage } from './layout/image-writer.ts'
import { deffileText } from './metadata/deffile.ts'
import { inspectMetadataJson, ociConfigJson } from './metadata/inspect-metadata.ts'
import { imageTime, type MetadataOptions } from './metadata/metadata-config.ts'
import { metadataLayerTar } from './metadata/metadata-layer.ts'
import { writePackedLayer } from './pack-layer.ts'
import type { PackingParameters } from './packing-parameters.ts'
import { PackingSlots } from './packing-slots.ts'
import type { Ownership } from './tree/ownership.ts'
import { writeFully } from './write-fully.ts'

export type BuildOptions = Ownership & {
  readonly parameters: PackingParameters
  readonly format: 'squashfs' | 'sif'
  readonly store: LayerStore
  /** What was begun of it already, and is closed here; its thread may still be ending. By default it is begun here. */
  readonly begun?: BegunImage | undefined
  /** Threads that wait for an image; the caller ends them, since they may not be needed. */
  readonly threads?: ImageThreads | undefined
  /** A file that may be written and is removed by the caller: the metadata layer is packed into it. */
  readonly scratchPath: string
  /** Default 4. */
  readonly maxLayers?: number
  /** Version of sregistry, for the labels. */
  readonly version: string
  /** SOURCE_DATE_EPOCH: stands in for the config's `created`. */
  readonly sourceDateEpoch?: number | undefined
  readonly onEvent?: (event: BuildEvent) => void
  readonly signal?: AbortSignal | undefined
}

/**
 * Writes the image into `output`, which the caller commits. The same source and options give the same
 * bytes, in whatever order the layers arrive.
 * @returns the size of the file in bytes.
 * @throws {SregistryError} DIGEST_MISMATCH, SIZE_MISMATCH, LAYER_INVALID, MANIFEST_INVALID,
 *   LIMIT_EXCEEDED, DISK_FULL, NETWORK, CANCELLED, UNSUPPORTED (zstd on a Node without it), …
 */
export async function buildImage(
  source: ImageSource,
  output: AtomicFile,
  options: BuildOptions,
): Promise<number> {
  const build = new ImageBuild(source, output, options)
  try {
    await build.begin()
    const metadata = await build.packMetadata()
    const packed = await build.packLayers()
    try {
      const size = await build.write(packed, metadata)
      await packed.keep()
      return size
    } catch (error) {
      const failure = output.explain(error)
      await packed.salvage(failure)
      throw failure
    }
  } finally {
    await build.close()
  }
}

class ImageBuild {
  readonly #source: ImageSource
  readonly #output: AtomicFile
  readonly #options: BuildOptions
  readonly #compressor: BlockCompressor
  readonly #slots = new PackingSlots()
  readonly #metadata: MetadataOptions
  readonly #createdSeconds: number
  readonly #onEvent: (event: BuildEvent) => void
  readonly #onNote = (text: string) => this.#onEvent({ type: 'note', text })
  #begun: BegunImage | undefined
  #composer: Composer | undefined
  #isWritten = false

  constructor(source: ImageSource, output: AtomicFile, options: BuildOptions) {
    this.#source = source
    this.#output = output
    this.#options = options
    this.#compressor = createBlockCompressor(options.parameters.compression)
    this.#metadata = {
      reference: source.reference,
      digest: formatDigest(source.manifestDigest),
      version: options.version,
      sourceDateEpoch: options.sourceDateEpoch,
    }
    this.#createdSeconds = imageTime(source.config, options.sourceDateEpoch)
    this.#onEvent = options.onEvent ?? (() => undefined)
  }

  /** The last image of the repository tells what this one probably begins with: that is begun at once. */
  async begin(): Promise<void> {
    const { begun, store, threads, signal } = this.#options
    this.#begun = begun
    if (begun === undefined && store.memory !== undefined) {
      const { repository, layers } = this.#source
      this.#begun = await BegunImage.begin(this.#output, {
        compose: this.#composeOptions(),
        repository,
        layers,
        memory: store.memory,
        threads,
        onNote: this.#onNote,
        signal,
      })
    }
    this.#composer = this.#begun?.composer
  }

  async packMetadata(): Promise<string> {
    this.#onEvent({ type: 'line', text: 'Exploding environment.tar' })
    const { scratchPath, parameters, signal } = this.#options
    try {
      await writePackedLayer(metadataLayerTar(this.#source.config, this.#metadata), {
        path: scratchPath,
        parameters,
        compressor: this.#compressor,
        slots: this.#slots,
        signal,
      })
      return scratchPath
    } catch (error) {
      throw isSystemError(error) ? diskError(error, scratchPath, 'work') : error
    }
  }

  packLayers(): Promise<PackedLayers> {
    const lines = new LayerLines(this.#source, this.#onEvent)
    return packLayers(this.#source, {
      store: this.#options.store,
      read: (path) => this.#composing().read(path),
      parameters: this.#options.parameters,
      compressor: this.#compressor,
      slots: this.#slots,
      maxLayers: this.#options.maxLayers ?? 4,
      onEvent: lines.onEvent,
      signal: this.#options.signal ?? new AbortController().signal,
    })
  }

  async write(packed: PackedLayers, metadata: string): Promise<number> {
    const prefixBytes = this.#prefixBytes()
    const { paddedBytes, ranges } = await writeSquashfsImage(this.#output, {
      order: {
        paths: [...packed.paths, metadata],
        layers: this.#source.layers,
        createdSeconds: this.#createdSeconds,
        dataStart: dataStart(this.#options.parameters.compression),
      },
      composer: this.#composing(),
      base: prefixBytes,
      ahead: this.#begun?.ahead,
      onProgress: (done, total) => this.#onEvent({ type: 'write-progress', done, total }),
      signal: this.#options.signal,
    })
    // only now is the size known that the SIF's descriptors give
    if (prefixBytes > 0) await writeFully(this.#output.handle, this.#sifPrefix(paddedBytes), 0)
    this.#isWritten = true
    await this.#remember(ranges)
    return prefixBytes + paddedBytes
  }

  /** Nothing is written into the output any more when this returns. */
  async close(): Promise<void> {
    await this.#begun?.ahead?.close()
    const closing = this.#composer?.close()
    // one that has written all writes no more: its thread may end meanwhile
    if (!this.#isWritten) await closing
  }

  /** Begun when the first index is to be read, or when all layers are there. */
  #composing(): Composer {
    this.#composer ??= this.#composerForSize()
    return this.#composer
  }

  #composerForSize(): Composer {
    const bytes = this.#source.layers.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
    const { signal, threads } = this.#options
    const [options, onNote] = [this.#composeOptions(), this.#onNote]
    if (bytes < minThreadBytes) return new LocalComposer(options, { onNote, signal })
    return new ComposeThread(options, { worker: threads?.compose, expected: [], onNote, signal })
  }

  #composeOptions(): ComposeOptions {
    const { parameters, allRoot = false, fixPermissions = false } = this.#options
    return {
      parameters,
      outputPath: this.#output.path,
      base: this.#prefixBytes(),
      allRoot,
      fixPermissions,
    }
  }

  async #remember(all: readonly CopiedRange[]): Promise<void> {
    const { layers, repository } = this.#source
    // those of the metadata layer, which is the last, serve no other image
    const ranges = all.filter(({ source }) => source < layers.length)
    if (!isWorthCopyingAhead(ranges)) return
    await this.#options.store.memory?.remember(repository, {
      layers: layers.map(({ digest }) => formatDigest(digest)),
      ranges,
    })
  }

  /** How long a SIF's prefix is does not depend on the size of what follows. */
  #prefixBytes(): number {
    return this.#options.format === 'sif' ? this.#sifPrefix(partitionAlignment).length : 0
  }

  #sifPrefix(partitionBytes: number): Uint8Array {
    const { config, reference } = this.#source
    return sifPrefix({
      deffile: Buffer.from(deffileText(reference)),
      jsonObjects: [
        {
          name: 'inspect-metadata.json',
          bytes: Buffer.from(inspectMetadataJson(config, this.#metadata)),
        },
        { name: 'oci-config.json', bytes: Buffer.from(ociConfigJson(config.config.raw)) },
      ],
      partitionBytes,
      architecture: config.architecture,
    }).bytes
  }
}

/** Layers of an image that is composed in a thread have this many compressed bytes: one takes 40 ms to start. */
const minThreadBytes = 33_554_432
