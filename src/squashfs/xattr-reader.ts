/** Decodes extended attributes (format.adoc "Xattr Table"). */
import { SregistryError } from '../errors/sregistry-error.ts'
import type { BlockDecompressor } from './block-decompressor.ts'
import { damagedImage } from './damaged-image.ts'
import {
  metadataBlockBytes,
  xattrHeaderBytes,
  xattrIdEntryBytes,
  xattrOutOfLine,
  xattrPrefixes,
} from './format.ts'
import { LookupTableReader } from './lookup-table-reader.ts'
import { type MetadataCursor, MetadataReader } from './metadata-reader.ts'
import { type RandomAccessSource, readExactly } from './random-access-source.ts'

export type Xattrs = ReadonlyMap<string, Uint8Array>

/** More than any file system takes for one inode. */
const mostXattrBytes = 16 * 1024 * 1024

export class XattrReader {
  readonly #values: MetadataReader
  readonly #ids: LookupTableReader

  constructor(values: MetadataReader, ids: LookupTableReader) {
    this.#values = values
    this.#ids = ids
  }

  /**
   * The attributes of one id. Such of namespaces that the format does not have are left out, as the
   * kernel does.
   * @throws {SregistryError} IMAGE_INVALID; LIMIT_EXCEEDED for more than 16 MiB.
   */
  async read(id: number): Promise<Xattrs> {
    const entry = await this.#ids.entry(id)
    const cursor = this.#values.cursor(safeReference(entry.readBigUInt64LE(0)))
    const xattrs = new Map<string, Uint8Array>()
    let readBytes = 0
    for (let left = entry.readUInt32LE(8); left > 0; left--) {
      const { type, suffix, value } = await this.#readOne(cursor)
      readBytes += 8 + suffix.length + value.length
      if (readBytes > mostXattrBytes) {
        throw new SregistryError('LIMIT_EXCEEDED', 'an inode has more than 16 MiB of attributes')
      }
      const prefix = xattrPrefixes[type & ~xattrOutOfLine]
      if (prefix !== undefined) xattrs.set(prefix + suffix, value)
    }
    return xattrs
  }

  async #readOne(cursor: MetadataCursor): Promise<{ type: number; suffix: string; value: Buffer }> {
    const header = await cursor.read(4)
    const type = header.readUInt16LE(0)
    const suffix = (await cursor.read(header.readUInt16LE(2))).toString('latin1')
    const value = await readValue(cursor)
    if ((type & xattrOutOfLine) === 0) return { type, suffix, value }
    if (value.length !== 8) throw damagedImage('the place of an attribute has a wrong length')
    const elsewhere = this.#values.cursor(safeReference(value.readBigUInt64LE(0)))
    return { type, suffix, value: await readValue(elsewhere) }
  }
}

/** @param header Position of the xattr header, from the superblock. */
export async function openXattrs(
  source: RandomAccessSource,
  decompressor: BlockDecompressor,
  { header, end }: { readonly header: number; readonly end: number },
): Promise<XattrReader> {
  const bytes = await readExactly(source, header, xattrHeaderBytes)
  const start = bytes.readBigUInt64LE(0)
  const count = bytes.readUInt32LE(8)
  const index = header + xattrHeaderBytes
  const indexBytes = 8 * Math.ceil((count * xattrIdEntryBytes) / metadataBlockBytes)
  if (start >= BigInt(header) || index + indexBytes > end) {
    throw damagedImage('its table of attributes is out of place')
  }
  const values = new MetadataReader(source, decompressor, { start: Number(start), end: header })
  const place = { index, count, entryBytes: xattrIdEntryBytes }
  return new XattrReader(values, new LookupTableReader(source, decompressor, place))
}

async function readValue(cursor: MetadataCursor): Promise<Buffer> {
  const length = (await cursor.read(4)).readUInt32LE(0)
  if (length > mostXattrBytes) throw damagedImage(`an attribute has ${length} bytes`)
  return cursor.read(length)
}

function safeReference(reference: bigint): number {
  if (reference > BigInt(Number.MAX_SAFE_INTEGER)) throw damagedImage('a reference is out of range')
  return Number(reference)
}
