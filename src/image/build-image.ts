/**
 * Makes an image file of a container image: packs its layers, merges them, puts the metadata layer on
 * top, lays the result out and writes it as squashfs or SIF (DESIGN § 2).
 */
import { formatDigest } from '../registry/digest.ts'
import { partitionAlignment } from '../sif/sif-format.ts'
import { sifPrefix } from '../sif/sif-writer.ts'
import { type BlockCompressor, createBlockCompressor } from '../squashfs/block-compressor.ts'
import type { AtomicFile } from '../storage/atomic-file.ts'
import { diskError, isSystemError } from '../storage/disk-error.ts'
import type { BuildEvent } from './build-event.ts'
import type { ImageSource } from './image-source.ts'
import { inTurns } from './in-turns.ts'
import { namedLayer } from './layer-failure.ts'
import { type PackedLayers, packLayers } from './layer-packing.ts'
import type { LayerStore } from './layer-store.ts'
import { writeSquashfsImage } from './layout/image-writer.ts'
import { deffileText } from './metadata/deffile.ts'
import { inspectMetadataJson, ociConfigJson } from './metadata/inspect-metadata.ts'
import { imageTime, type MetadataOptions } from './metadata/metadata-config.ts'
import { metadataLayerTar } from './metadata/metadata-layer.ts'
import { packLayer } from './pack-layer.ts'
import type { PackedLayer } from './packed-layer.ts'
import type { PackingParameters } from './packing-parameters.ts'
import { PackingSlots } from './packing-slots.ts'
import { layerSteps } from './tree/apply-layer.ts'
import { applyMetadataLayer } from './tree/apply-metadata-layer.ts'
import { DirectoryNode } from './tree/node.ts'
import { type Ownership, setOwnership } from './tree/ownership.ts'
import { writeFully } from './write-fully.ts'

export type BuildOptions = Ownership & {
  readonly parameters: PackingParameters
  readonly format: 'squashfs' | 'sif'
  readonly store: LayerStore
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
  const compressor = createBlockCompressor(options.parameters.compression)
  const build = new ImageBuild(source, options, compressor)
  const metadata = await build.packMetadata()
  const packed = await build.packLayers()
  try {
    const size = await build.write(output, packed, metadata)
    await packed.keep()
    return size
  } catch (error) {
    const failure = output.explain(error)
    await packed.salvage(failure)
    throw failure
  }
}

class ImageBuild {
  readonly #source: ImageSource
  readonly #options: BuildOptions
  readonly #compressor: BlockCompressor
  readonly #slots: PackingSlots
  readonly #metadata: MetadataOptions
  readonly #createdSeconds: number
  readonly #onEvent: (event: BuildEvent) => void

  constructor(source: ImageSource, options: BuildOptions, compressor: BlockCompressor) {
    this.#source = source
    this.#options = options
    this.#compressor = compressor
    this.#slots = new PackingSlots()
    this.#metadata = {
      reference: source.reference,
      digest: formatDigest(source.manifestDigest),
      version: options.version,
      sourceDateEpoch: options.sourceDateEpoch,
    }
    this.#createdSeconds = imageTime(source.config, options.sourceDateEpoch)
    this.#onEvent = options.onEvent ?? (() => undefined)
  }

  async packMetadata(): Promise<PackedLayer> {
    this.#onEvent({ type: 'line', text: 'Exploding environment.tar' })
    const { scratchPath, parameters, signal } = this.#options
    try {
      return await packLayer(metadataLayerTar(this.#source.config, this.#metadata), {
        path: scratchPath,
        parameters,
        compressor: this.#compressor,
        slots: this.#slots,
        signal,
      })
    } catch (error) {
      throw isSystemError(error) ? diskError(error, scratchPath, 'work') : error
    }
  }

  packLayers(): Promise<PackedLayers> {
    const lines = new LayerLines(this.#source, this.#onEvent)
    return packLayers(this.#source, {
      store: this.#options.store,
      parameters: this.#options.parameters,
      compressor: this.#compressor,
      slots: this.#slots,
      maxLayers: this.#options.maxLayers ?? 4,
      onEvent: lines.onEvent,
      signal: this.#options.signal ?? new AbortController().signal,
    })
  }

  async write(output: AtomicFile, packed: PackedLayers, metadata: PackedLayer): Promise<number> {
    const root = await this.#merge(packed.layers, metadata)
    // how long the prefix is does not depend on the size of what follows
    const prefixBytes =
      this.#options.format === 'sif' ? this.#sifPrefix(partitionAlignment).length : 0
    const partitionBytes = await writeSquashfsImage(
      output.handle,
      root,
      [...packed.layers, metadata],
      {
        base: prefixBytes,
        blockSize: this.#options.parameters.blockSize,
        createdSeconds: this.#createdSeconds,
        compressor: this.#compressor,
        onProgress: (done, total) => this.#onEvent({ type: 'write-progress', done, total }),
        signal: this.#options.signal,
      },
    )
    // only now is the size known that the SIF's descriptors give
    if (prefixBytes > 0) await writeFully(output.handle, this.#sifPrefix(partitionBytes), 0)
    return prefixBytes + partitionBytes
  }

  async #merge(layers: readonly PackedLayer[], metadata: PackedLayer): Promise<DirectoryNode> {
    const mtime = this.#createdSeconds
    const implied = { mode: 0o755, uid: 0, gid: 0, mtime, xattrs: undefined }
    const root = new DirectoryNode(implied, -1)
    const onNote = (text: string) => this.#onEvent({ type: 'note', text })
    for (const [layer, { entries }] of layers.entries()) {
      try {
        const steps = layerSteps(root, entries, { layer, implied, onNote })
        await inTurns(steps, 'merging the layers', this.#options.signal)
      } catch (error) {
        throw namedLayer(error, layer, this.#source.layers)
      }
    }
    applyMetadataLayer(root, metadata.entries, { layer: layers.length, implied })
    setOwnership(root, this.#options)
    return root
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

/** Layers finish in any order; their lines come in the order of the manifest. */
class LayerLines {
  readonly #forward: (event: BuildEvent) => void
  readonly #order: readonly number[]
  readonly #finished = new Map<number, string>()
  #next = 0

  constructor({ layers }: ImageSource, forward: (event: BuildEvent) => void) {
    this.#forward = forward
    const first = new Map<string, number>()
    for (const [number, layer] of layers.entries()) {
      const key = formatDigest(layer.digest)
      if (!first.has(key)) first.set(key, number)
    }
    this.#order = [...first.values()]
  }

  readonly onEvent = (event: BuildEvent): void => {
    this.#forward(event)
    if (event.type !== 'layer-done' && event.type !== 'layer-reuse') return
    const verb = event.type === 'layer-done' ? 'Exploding' : 'Reusing'
    this.#finished.set(event.layer, `${verb} ${event.label}`)
    for (;;) {
      const text = this.#finished.get(this.#order[this.#next] ?? -1)
      if (text === undefined) return
      this.#next += 1
      this.#forward({ type: 'line', text })
    }
  }
}
