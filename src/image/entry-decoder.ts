/**
 * Decodes the entries of a packed layer's index into columns, and checks all that later reads rely on. The module of
 * assembly/ does: 60,000 entries are over before V8 has optimised anything, and took 0.1 s in its first tiers.
 */
import {
  decodedColumns,
  type EntryDecoderExports,
  withEntryDecoder,
} from './entry-decoder-module.ts'
import { damaged, type IndexDecoder } from './index-decoder.ts'
import { defaultLayerLimits } from './layer-limits.ts'
import { PackedContents } from './packed-contents.ts'
import { PackedEntries } from './packed-entries.ts'
import type { PackedFragment } from './packed-layer.ts'

export type Bounds = {
  /** Where the blocks end in the file. */
  readonly dataEnd: number
  readonly blockSize: number
}

/** Kind, length of the path, mode, two owners, time and number of xattrs take a byte each at least. */
const leastEntryBytes = 7

/** @throws {SregistryError} IMAGE_INVALID; LIMIT_EXCEEDED where there is not enough memory. */
export function decodeEntries(
  decoder: IndexDecoder,
  fragments: readonly PackedFragment[],
  bounds: Bounds,
): PackedEntries {
  const length = decoder.count(leastEntryBytes)
  // a column for each is ten times what the shortest entries take in the index
  if (length > defaultLayerLimits.maxEntries) throw damaged('it has too many entries')
  return withEntryDecoder((module) => {
    const { index, offset } = decoder
    module.reserve(index.length, offset, length, fragments.length)
    const memory = new DecodedColumns(module)
    memory.bytes('text', index.length).set(index)
    memory.words('fragmentSizes', fragments.length).set(fragments.map(({ sizeBytes }) => sizeBytes))
    const { dataEnd, blockSize } = bounds
    module.decode(index.length, offset, length, fragments.length, dataEnd, blockSize)
    const xattrs = decodeXattrs(decoder, memory)
    decoder.offset = module.end.value >>> 0
    return memory.entries(decoder.text, length, xattrs)
  })
}

/** The columns in the memory of the module. */
class DecodedColumns {
  private readonly module: EntryDecoderExports
  private readonly buffer: ArrayBuffer

  constructor(module: EntryDecoderExports) {
    this.module = module
    this.buffer = module.memory.buffer
  }

  bytes(name: keyof typeof decodedColumns, length: number): Uint8Array {
    return new Uint8Array(this.buffer, this.addressOf(name), length)
  }

  words(name: keyof typeof decodedColumns, length: number): Uint32Array {
    return new Uint32Array(this.buffer, this.addressOf(name), length)
  }

  /** Entries with their extended attributes: pairs. */
  xattrs(): Uint32Array {
    return this.words('xattrs', 2 * (this.module.xattrCount.value >>> 0))
  }

  /** Copies of all columns: the memory serves the next index. */
  entries(
    text: string,
    length: number,
    xattrs: ReadonlyMap<number, ReadonlyMap<string, Uint8Array>>,
  ): PackedEntries {
    const words = (name: keyof typeof decodedColumns) => this.words(name, length).slice()
    return new PackedEntries({
      length,
      text,
      xattrs,
      kinds: this.bytes('kinds', length).slice(),
      modes: new Uint16Array(this.buffer, this.addressOf('modes'), length).slice(),
      pathStarts: words('pathStarts'),
      pathLengths: words('pathLengths'),
      uids: words('uids'),
      gids: words('gids'),
      mtimes: words('mtimes'),
      firsts: words('firsts'),
      seconds: words('seconds'),
      contents: this.contents(text),
    })
  }

  private contents(text: string): PackedContents {
    const { contentCount, blockCount } = this.module
    const length = contentCount.value >>> 0
    const floats = (name: 'sizes' | 'positions') =>
      new Float64Array(this.buffer, this.addressOf(name), length).slice()
    const words = (name: keyof typeof decodedColumns) => this.words(name, length).slice()
    return new PackedContents({
      length,
      text,
      sizes: floats('sizes'),
      positions: floats('positions'),
      identityStarts: words('identityStarts'),
      identityLengths: words('identityLengths'),
      fragments: new Int32Array(this.buffer, this.addressOf('fragments'), length).slice(),
      offsets: words('offsets'),
      blockStarts: this.words('blockStarts', length + 1).slice(),
      blocks: this.words('blocks', blockCount.value >>> 0).slice(),
    })
  }

  private addressOf(name: keyof typeof decodedColumns): number {
    return this.module.addressOf(decodedColumns[name]) >>> 0
  }
}

function decodeXattrs(
  decoder: IndexDecoder,
  memory: DecodedColumns,
): ReadonlyMap<number, ReadonlyMap<string, Uint8Array>> {
  const found = new Map<number, ReadonlyMap<string, Uint8Array>>()
  const places = memory.xattrs()
  for (let pair = 0; pair < places.length; pair += 2) {
    decoder.offset = places[pair + 1] ?? 0
    const xattrs = new Map<string, Uint8Array>()
    for (let left = decoder.count(); left > 0; left -= 1) {
      xattrs.set(decoder.latin1(), decoder.bytes())
    }
    found.set(places[pair] ?? 0, xattrs)
  }
  return found
}
