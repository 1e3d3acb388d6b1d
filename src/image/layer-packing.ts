/** Packs the layers of an image, several at a time, or finds them packed already. */
import { setMaxListeners } from 'node:events'
import { cancelled } from '../errors/cancelled.ts'
import { type ErrorCode, isSregistryError, SregistryError } from '../errors/sregistry-error.ts'
import type { Descriptor } from '../registry/descriptor.ts'
import { type Digest, formatDigest } from '../registry/digest.ts'
import type { BlockCompressor } from '../squashfs/block-compressor.ts'
import type { BuildEvent } from './build-event.ts'
import { EncoderPool } from './encoder-pool.ts'
import type { ImageSource } from './image-source.ts'
import { BlobBytes, namedLayer } from './layer-failure.ts'
import type { LayerDraft, LayerStore, ReadDiffId } from './layer-store.ts'
import { packInThread } from './pack-in-thread.ts'
import { writePackedLayer } from './pack-layer.ts'
import type { PackingParameters } from './packing-parameters.ts'
import { PackingSlots } from './packing-slots.ts'

export type LayerPackingOptions = {
  readonly store: LayerStore
  readonly read: ReadDiffId
  readonly parameters: PackingParameters
  readonly compressor: BlockCompressor
  /** Bound on blocks in flight, shared by all layers. */
  readonly slots: PackingSlots
  /** Layers downloaded and packed at the same time. */
  readonly maxLayers: number
  readonly onEvent: (event: BuildEvent) => void
  readonly signal: AbortSignal
}

/** The packed layers of an image, and what is still to be done to keep them. */
export type PackedLayers = {
  /** Paths of their files, lowest first, one for each layer of the manifest. */
  readonly paths: readonly string[]
  /** Gives those made here their names in the store. */
  keep(): Promise<void>
  /** The same where the image could not be made: as many as can be kept shorten the next try. */
  salvage(error: unknown): Promise<void>
}

/**
 * Finds or packs every layer. The largest is begun first, so that it is not what all wait for at the
 * end; the lines of the output come in the order of the manifest all the same.
 * @throws {SregistryError} whatever the first failing layer throws; the others are then cancelled.
 */
export async function packLayers(
  source: ImageSource,
  options: LayerPackingOptions,
): Promise<PackedLayers> {
  const packing = new LayersPacking(source, options)
  try {
    await packing.run()
    return packing.result()
  } catch (error) {
    await packing.salvage(error)
    throw error
  }
}

type LayerWork = { readonly number: number; readonly layer: Descriptor; readonly diffId: Digest }

/** Smaller layers are packed here: a thread takes some 30 ms to begin. */
const minThreadBytes = 2_097_152
/** With a layer this large, threads that encode blocks for it are worth their memory. */
const minEncodersBytes = 33_554_432

class LayersPacking {
  readonly #source: ImageSource
  readonly #options: LayerPackingOptions
  readonly #abort = new AbortController()
  readonly #packed = new Map<string, string>()
  readonly #drafts: LayerDraft[] = []
  /** Errors of blobs that came otherwise than their digest says. */
  readonly #altered = new WeakSet<object>()
  readonly #work: readonly LayerWork[]
  #failure: { readonly error: unknown } | undefined
  #encoderPool: EncoderPool | undefined

  constructor(source: ImageSource, options: LayerPackingOptions) {
    this.#source = source
    this.#options = options
    this.#work = workOf(source)
  }

  async run(): Promise<void> {
    const { signal, maxLayers } = this.#options
    const stop = () => this.#abort.abort(signal.reason)
    signal.addEventListener('abort', stop, { once: true })
    // each layer listens a few times: to its connections, its pieces, its thread
    setMaxListeners(0, this.#abort.signal)
    try {
      if (signal.aborted) throw cancelled('the pull', signal.reason)
      const slots = new PackingSlots(maxLayers)
      const largestFirst = [...this.#work].sort((a, b) => b.layer.sizeBytes - a.layer.sizeBytes)
      await Promise.all(largestFirst.map((work) => this.#obtain(work, slots)))
    } finally {
      signal.removeEventListener('abort', stop)
      await this.#encoderPool?.close()
    }
    if (this.#failure !== undefined) throw this.#failure.error
  }

  /** Made when the first large layer comes. */
  #encodersFor(layer: Descriptor): EncoderPool | undefined {
    if (layer.sizeBytes >= minEncodersBytes) {
      this.#encoderPool ??= new EncoderPool(this.#options.parameters)
    }
    return this.#encoderPool
  }

  result(): PackedLayers {
    const paths = this.#source.layers.map((layer) => this.#packed.get(keyOf(layer)))
    return {
      paths: paths.filter((path) => path !== undefined),
      keep: async () => {
        for (const draft of this.#drafts) await draft.commit()
      },
      salvage: (error) => this.salvage(error),
    }
  }

  /** Every draft holds a whole layer whose digests are right; a full disk needs the room, though. */
  async salvage(error: unknown): Promise<void> {
    const isFull = hasCode(error, 'DISK_FULL')
    for (const draft of this.#drafts) {
      // a failure here adds nothing to the one that is told
      if (!isFull) await draft.commit().catch(() => undefined)
      await draft.abort()
    }
  }

  /**
   * Finds a layer, or packs it when there is a slot: what is missing is begun while the indexes of others
   * are being read. Never rejects.
   */
  async #obtain(work: LayerWork, slots: PackingSlots): Promise<void> {
    const { store, read } = this.#options
    const { layer, diffId } = work
    try {
      const kept = await store.look(layer.digest, diffId, read)
      if (kept !== undefined) return this.#reuse(work, kept)
      await new Promise<void>((resolve) => slots.take(resolve))
      try {
        if (this.#failure === undefined) await this.#findOrPack(work)
      } finally {
        slots.release()
      }
    } catch (error) {
      this.#failure ??= { error }
      this.#abort.abort(error)
    }
  }

  #reuse(work: LayerWork, path: string): void {
    this.#packed.set(keyOf(work.layer), path)
    this.#tell('layer-reuse', work)
  }

  #tell(type: 'layer-reuse' | 'layer-start' | 'layer-done', { number, layer }: LayerWork): void {
    const { store, onEvent } = this.#options
    onEvent({ type, layer: number, label: store.label(layer.digest), bytes: layer.sizeBytes })
  }

  async #findOrPack(work: LayerWork): Promise<void> {
    const { number, layer, diffId } = work
    const { store, read } = this.#options
    const { signal } = this.#abort
    const found = await store.find(layer.digest, diffId, { read, signal })
    if (found !== undefined) return this.#reuse(work, found)
    this.#tell('layer-start', work)
    this.#packed.set(keyOf(layer), await this.#packTwice(number, layer, diffId))
    this.#tell('layer-done', work)
  }

  /** Bytes that came altered are given one more chance: they are known to be wrong only at their end. */
  async #packTwice(number: number, layer: Descriptor, diffId: Digest): Promise<string> {
    try {
      return await this.#pack(number, layer, diffId)
    } catch (error) {
      if (!(error instanceof Error && this.#altered.has(error)) || this.#abort.signal.aborted)
        throw error
      return this.#pack(number, layer, diffId)
    }
  }

  async #pack(number: number, layer: Descriptor, diffId: Digest): Promise<string> {
    const { store } = this.#options
    const draft = await store.create(layer.digest)
    try {
      return await this.#packInto(draft, number, layer, diffId)
    } catch (error) {
      await draft.abort()
      throw draft.explain(error)
    }
  }

  async #packInto(
    draft: LayerDraft,
    number: number,
    layer: Descriptor,
    diffId: Digest,
  ): Promise<string> {
    const { parameters, compressor, slots, onEvent } = this.#options
    const bytes = new BlobBytes(
      this.#source.openLayer(layer, {
        signal: this.#abort.signal,
        onProgress: (done) =>
          onEvent({ type: 'layer-progress', layer: number, done, total: layer.sizeBytes }),
      }),
    )
    try {
      const options = {
        path: draft.path,
        parameters,
        diffId,
        blobDigest: layer.digest,
        signal: this.#abort.signal,
      }
      if (layer.sizeBytes < minThreadBytes) {
        await writePackedLayer(bytes, { ...options, compressor, slots })
      } else {
        await packInThread(bytes, { ...options, encoders: this.#encodersFor(layer) })
      }
      this.#drafts.push(draft)
      draft.publish()
      return draft.path
    } catch (error) {
      const blob = hasCode(error, 'LAYER_INVALID') ? await bytes.failure() : undefined
      const cause = blob?.error ?? error
      if (bytes.hasFailed && hasCode(cause, 'DIGEST_MISMATCH')) this.#altered.add(cause)
      throw bytes.hasFailed ? cause : namedLayer(error, number, this.#source.layers)
    } finally {
      await bytes.close()
    }
  }
}

function hasCode(error: unknown, code: ErrorCode): error is SregistryError {
  return isSregistryError(error) && error.code === code
}

/** Each distinct layer once, with the diff id that the config gives it. */
function workOf({ layers, config }: ImageSource): LayerWork[] {
  if (layers.length !== config.diffIds.length) {
    const counts = `${layers.length} layers, its config ${config.diffIds.length} diff ids`
    throw new SregistryError('MANIFEST_INVALID', `the manifest has ${counts}`, {
      hint: 'the image was built or stored wrongly: build and push it again',
    })
  }
  const work = new Map<string, LayerWork>()
  for (const [number, layer] of layers.entries()) {
    const diffId = config.diffIds[number]
    if (diffId !== undefined && !work.has(keyOf(layer))) {
      work.set(keyOf(layer), { number, layer, diffId })
    }
  }
  return [...work.values()]
}

function keyOf(layer: Descriptor): string {
  return formatDigest(layer.digest)
}
