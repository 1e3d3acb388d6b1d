/**
 * Packs a layer: from the byte stream of its blob to a packed layer's file. No state is shared with
 * other layers but the slots, so several may be packed at once.
 */
import { createHash } from 'node:crypto'
import { Recoder } from '../deflate/recoder.ts'
import { recoderModule } from '../deflate/recoder-module.ts'
import { SregistryError } from '../errors/sregistry-error.ts'
import { type Digest, equalDigests, formatDigest } from '../registry/digest.ts'
import type { BlockCompressor } from '../squashfs/block-compressor.ts'
import { type OpenFile, openInThread } from '../storage/thread-file.ts'
import { type BlockBuilders, poolBuilders } from './block-builder.ts'
import { BlockStore } from './block-store.ts'
import { cancellable } from './byte-stream.ts'
import { FilePacker } from './file-packer.ts'
import { type LayerForm, openLayer } from './layer-decoder.ts'
import { defaultLayerLimits, type LayerLimits, LayerMeter } from './layer-limits.ts'
import type { PackedEntry, PackedLayer } from './packed-layer.ts'
import { headerBytes } from './packed-layer-format.ts'
import { decodeIndex } from './packed-layer-reader.ts'
import { EntryEncoder, encodeHeader, encodeIndex, encodeTrailer } from './packed-layer-writer.ts'
import type { PackingParameters } from './packing-parameters.ts'
import type { PackingSlots } from './packing-slots.ts'
import { recodedBuilders } from './recoded-block-builder.ts'
import { recodingEffort } from './recoding-effort.ts'
import type { RemoteEncoders } from './remote-encoders.ts'
import type { TarEntry } from './tar/tar-entry.ts'
import { TarReader, type TarSink } from './tar/tar-reader.ts'
import { writeFully } from './write-fully.ts'

export type PackLayerOptions = {
  /** The file to write; what it held is lost. A temporary name: the caller renames or removes it. */
  readonly path: string
  readonly parameters: PackingParameters
  /** What the uncompressed stream must hash to. */
  readonly diffId?: Digest | undefined
  /** Kept in the index. */
  readonly blobDigest?: Digest | undefined
  /** Made for parameters.compression. */
  readonly compressor: BlockCompressor
  /** Shared by the layers that are packed at the same time. */
  readonly slots: PackingSlots
  readonly limits?: Partial<LayerLimits> | undefined
  /** Threads that encode some of the blocks; the bytes are the same without. */
  readonly remote?: RemoteEncoders | undefined
  /** The source's chunks are good only until the next is asked for. Default false. */
  readonly reusesChunks?: boolean | undefined
  readonly signal?: AbortSignal | undefined
}

/**
 * @param source The blob as the registry has it, already checked against its digest, or checked while it
 *   is read.
 * @throws {SregistryError} LAYER_INVALID, DIGEST_MISMATCH (diff id), LIMIT_EXCEEDED, CANCELLED; errors of
 *   the file system and of the source pass as they are. The file is then worthless.
 */
export async function packLayer(
  source: AsyncIterable<Uint8Array>,
  options: PackLayerOptions,
): Promise<PackedLayer> {
  const { index, position } = await writePackedLayer(source, options)
  return decodeIndex(index, position, options.path)
}

/** The index of a packed layer, and where it begins in the file. */
export type WrittenIndex = { readonly index: Buffer; readonly position: number }

/** As packLayer, for a thread that hands the index on as bytes. */
export async function writePackedLayer(
  source: AsyncIterable<Uint8Array>,
  options: PackLayerOptions,
): Promise<WrittenIndex> {
  const file = await openInThread(options.path, 'w')
  try {
    return await packInto(file, source, options)
  } finally {
    await file.close()
  }
}

async function packInto(
  file: OpenFile,
  source: AsyncIterable<Uint8Array>,
  options: PackLayerOptions,
): Promise<WrittenIndex> {
  const store = new BlockStore(file, headerBytes, options)
  const meter = new LayerMeter({ ...defaultLayerLimits, ...options.limits })
  try {
    await writeFully(file, encodeHeader(), 0)
    const bytes = cancellable(source, 'packing a layer', options.signal)
    const layer = await openLayer(bytes, meter, options)
    const recoder = recoderFor(layer.form, options.parameters)
    const packer = new LayerPacker(
      recoder === undefined
        ? poolBuilders(store, options.parameters.blockSize)
        : recodedBuilders(recoder, { ...options, store }),
      options.parameters.blockSize,
      meter,
    )
    const stream = await unpack(layer.decode(recoder), packer, store)
    checkDiffId(stream.diffId, options.diffId)
    const description = {
      parameters: options.parameters,
      library: options.compressor.library,
      blobDigest: options.blobDigest,
      ...stream,
      fragments: packer.fragments,
    }
    const index = encodeIndex(description, packer.encodeEntries())
    await writeFully(file, index, store.position)
    await writeFully(file, encodeTrailer(index, store.position), store.position + index.length)
    return { index, position: store.position }
  } catch (error) {
    await store.abandon(error)
    throw error
  }
}

/** A gzip layer's own stream is taken over where the image's blocks are gzip too. */
function recoderFor(form: LayerForm, { compression, blockSize }: PackingParameters) {
  const effort = form === 'gzip' ? recodingEffort(compression) : undefined
  return effort === undefined ? undefined : new Recoder(recoderModule(), blockSize, effort)
}

type TarStream = { readonly diffId: Digest; readonly tarBytes: number }

async function unpack(
  tar: AsyncIterable<Buffer>,
  packer: LayerPacker,
  store: BlockStore,
): Promise<TarStream> {
  const reader = new TarReader(packer)
  const hash = createHash('sha256')
  let tarBytes = 0
  for await (const chunk of tar) {
    hash.update(chunk)
    tarBytes += chunk.length
    reader.write(chunk)
    packer.encodeEntries()
    await store.room()
  }
  if (tarBytes > 0) reader.end()
  packer.finish()
  await store.flush()
  return { diffId: { algorithm: 'sha256', hex: hash.digest('hex') }, tarBytes }
}

function checkDiffId(actual: Digest, expected: Digest | undefined): void {
  if (expected === undefined || equalDigests(actual, expected)) return
  throw new SregistryError(
    'DIGEST_MISMATCH',
    `the layer unpacks to ${formatDigest(actual)}, its config says ${formatDigest(expected)}`,
    { hint: 'the image was built or stored wrongly: build and push it again' },
  )
}

/**
 * Turns what the tar reader tells into entries and blocks. Entries are encoded as soon as their blocks
 * are stored: as objects they made every garbage collection of the buffers passing by ten times dearer.
 */
class LayerPacker implements TarSink {
  private readonly encoder = new EntryEncoder()
  private open: PackedEntry[] = []
  private readonly packer: FilePacker
  private readonly meter: LayerMeter

  constructor(builders: BlockBuilders, blockSize: number, meter: LayerMeter) {
    this.packer = new FilePacker(builders, blockSize)
    this.meter = meter
  }

  get fragments(): FilePacker['fragments'] {
    return this.packer.fragments
  }

  entry(entry: TarEntry): void {
    this.meter.countEntry()
    if (entry.kind !== 'file') {
      this.open.push(entry)
      return
    }
    const { sizeBytes, ...metadata } = entry
    this.meter.countFile(sizeBytes)
    this.open.push({ ...metadata, content: this.packer.begin(sizeBytes) })
  }

  data(bytes: Buffer): void {
    this.packer.data(bytes)
  }

  hole(sizeBytes: number): void {
    this.packer.hole(sizeBytes)
  }

  entryEnd(): void {
    this.packer.end()
  }

  finish(): void {
    this.packer.finish()
  }

  /** In the order of the archive, up to the first whose blocks are still to be stored. */
  encodeEntries(): EntryEncoder {
    const pending = this.open.findIndex((entry) => !isComplete(entry))
    const ready = this.open.splice(0, pending < 0 ? this.open.length : pending)
    for (const entry of ready) this.encoder.add(entry)
    this.meter.checkIndex(this.encoder.sizeBytes)
    return this.encoder
  }
}

function isComplete(entry: PackedEntry): boolean {
  return entry.kind !== 'file' || entry.content.identity !== ''
}
