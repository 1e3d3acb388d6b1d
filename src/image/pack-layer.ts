/**
 * Packs a layer: from the byte stream of its blob to a packed layer's file. No state is shared with
 * other layers but the slots, so several may be packed at once.
 */
import { createHash } from 'node:crypto'
import { type FileHandle, open } from 'node:fs/promises'
import { SregistryError } from '../errors/sregistry-error.ts'
import { type Digest, equalDigests, formatDigest } from '../registry/digest.ts'
import type { BlockCompressor } from '../squashfs/block-compressor.ts'
import { BlockStore } from './block-store.ts'
import { cancellable } from './byte-stream.ts'
import { FilePacker } from './file-packer.ts'
import { decodeLayer } from './layer-decoder.ts'
import { defaultLayerLimits, type LayerLimits, LayerMeter } from './layer-limits.ts'
import type { PackedEntry, PackedLayer } from './packed-layer.ts'
import { headerBytes } from './packed-layer-format.ts'
import { encodeHeader, encodeIndex } from './packed-layer-writer.ts'
import type { PackingParameters } from './packing-parameters.ts'
import type { PackingSlots } from './packing-slots.ts'
import type { TarEntry } from './tar/tar-entry.ts'
import { TarReader, type TarSink } from './tar/tar-reader.ts'

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
  /** Flush the file to the disk before it is closed. Default false: the caller does. */
  readonly sync?: boolean | undefined
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
  const file = await open(options.path, 'w')
  try {
    const layer = await packInto(file, source, options)
    if (options.sync) await file.sync()
    return layer
  } finally {
    await file.close()
  }
}

async function packInto(
  file: FileHandle,
  source: AsyncIterable<Uint8Array>,
  options: PackLayerOptions,
): Promise<PackedLayer> {
  const store = new BlockStore(file, headerBytes, options)
  const meter = new LayerMeter({ ...defaultLayerLimits, ...options.limits })
  const packer = new LayerPacker(store, options.parameters.blockSize, meter)
  try {
    await writeFully(file, encodeHeader(), 0)
    const bytes = cancellable(source, 'packing a layer', options.signal)
    const stream = await unpack(decodeLayer(bytes, meter), packer, store)
    checkDiffId(stream.diffId, options.diffId)
    const layer = {
      parameters: options.parameters,
      library: options.compressor.library,
      blobDigest: options.blobDigest,
      ...stream,
      fragments: packer.fragments,
      entries: packer.entries,
    }
    await writeFully(file, encodeIndex(layer, store.position), store.position)
    return { ...layer, path: options.path }
  } catch (error) {
    await store.abandon(error)
    throw error
  }
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

async function writeFully(file: FileHandle, bytes: Buffer, position: number): Promise<void> {
  let written = 0
  while (written < bytes.length) {
    const rest = bytes.length - written
    written += (await file.write(bytes, written, rest, position + written)).bytesWritten
  }
}

/** Turns what the tar reader tells into entries and blocks. */
class LayerPacker implements TarSink {
  readonly entries: PackedEntry[] = []
  private readonly packer: FilePacker
  private readonly meter: LayerMeter

  constructor(store: BlockStore, blockSize: number, meter: LayerMeter) {
    this.packer = new FilePacker(store, blockSize)
    this.meter = meter
  }

  get fragments(): FilePacker['fragments'] {
    return this.packer.fragments
  }

  entry(entry: TarEntry): void {
    this.meter.countEntry()
    if (entry.kind !== 'file') {
      this.entries.push(entry)
      return
    }
    const { sizeBytes, ...metadata } = entry
    this.meter.countFile(sizeBytes)
    this.entries.push({ ...metadata, content: this.packer.begin(sizeBytes) })
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
}
