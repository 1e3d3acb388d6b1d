/** Encodes extended attributes (format.adoc "Xattr Table"). Sets that are equal are stored once. */
import { SregistryError } from '../errors/sregistry-error.ts'
import {
  absentIndex,
  longestName,
  xattrHeaderBytes,
  xattrIdEntryBytes,
  xattrPrefixes,
} from './format.ts'
import { encodeLookupTable } from './lookup-table-writer.ts'
import { MetadataWriter } from './metadata-writer.ts'
import { type MetadataCompressor, StoredBlocks } from './stored-blocks.ts'

/** What Linux takes as one value (XATTR_SIZE_MAX). */
const longestValue = 65_536

/** The reference names its block by number. */
type XattrSet = { readonly reference: number; readonly count: number; readonly sizeBytes: number }
type Xattrs = ReadonlyMap<string, Uint8Array>

/**
 * Whether squashfs has a place for an attribute of that name. Others (`system.posix_acl_access`) are
 * left out of images: the kernel ignores them, unsquashfs fails on them.
 */
function isStorableXattr(name: string): boolean {
  return xattrPrefixes.some((prefix) => name.startsWith(prefix) && name.length > prefix.length)
}

export class XattrTable {
  private readonly compressor: MetadataCompressor
  private readonly blocks: StoredBlocks
  private readonly values: MetadataWriter
  private readonly sets: XattrSet[] = []
  private readonly idsByBytes = new Map<string, number>()
  /** The same Map object is often shared by many inodes. */
  private readonly idsByObject = new Map<Xattrs, number>()

  constructor(compressor: MetadataCompressor) {
    this.compressor = compressor
    this.blocks = new StoredBlocks(compressor)
    this.values = new MetadataWriter((bytes) => this.blocks.store(bytes))
  }

  /**
   * The id of a set of attributes, `absentIndex` for none. Attributes that are not storable are left out.
   * @throws {SregistryError} LIMIT_EXCEEDED for a name or a value that is too long for Linux.
   */
  idOf(xattrs: Xattrs | undefined): number {
    if (xattrs === undefined) return absentIndex
    const known = this.idsByObject.get(xattrs)
    if (known !== undefined) return known
    const id = this.add(xattrs)
    this.idsByObject.set(xattrs, id)
    return id
  }

  /**
   * @param position Where the table will begin in the file.
   * @returns the table and the position of its header; undefined when there are no attributes: the
   *   kernel refuses an empty table.
   */
  encode(position: number): { parts: readonly Uint8Array[]; headerPosition: number } | undefined {
    if (this.sets.length === 0) return undefined
    this.values.finish()
    const values = this.blocks.concat()
    const entries = Buffer.alloc(xattrIdEntryBytes * this.sets.length)
    for (const [id, { reference, count, sizeBytes }] of this.sets.entries()) {
      const at = entries.writeBigUInt64LE(
        BigInt(this.blocks.resolve(reference)),
        xattrIdEntryBytes * id,
      )
      entries.writeUInt32LE(count, at)
      entries.writeUInt32LE(sizeBytes, at + 4)
    }
    const ids = encodeLookupTable(entries, position + values.length, this.compressor)
    const header = Buffer.alloc(xattrHeaderBytes)
    header.writeBigUInt64LE(BigInt(position), 0)
    header.writeUInt32LE(this.sets.length, 8)
    const headerPosition = position + values.length + ids.blocks.length
    return { parts: [values, ids.blocks, header, ids.index], headerPosition }
  }

  private add(xattrs: Xattrs): number {
    const sorted = [...xattrs].filter(([name]) => isStorableXattr(name)).sort(byName)
    if (sorted.length === 0) return absentIndex
    const encoded = Buffer.concat(sorted.map(([name, value]) => encodeXattr(name, value)))
    const key = encoded.toString('latin1')
    const known = this.idsByBytes.get(key)
    if (known !== undefined) return known
    const { reference } = this.values
    this.values.write(encoded)
    // as mksquashfs counts: what listing and reading them takes
    const sizeBytes = sorted.reduce((sum, [name, value]) => sum + name.length + 1 + value.length, 0)
    const id = this.sets.push({ reference, count: sorted.length, sizeBytes }) - 1
    this.idsByBytes.set(key, id)
    return id
  }
}

function byName([a]: readonly [string, Uint8Array], [b]: readonly [string, Uint8Array]): number {
  return a < b ? -1 : 1
}

/** u16 type, u16 name length, the name without its prefix, u32 value length, the value. */
function encodeXattr(name: string, value: Uint8Array): Buffer {
  if (name.length > longestName || value.length > longestValue) {
    throw new SregistryError(
      'LIMIT_EXCEEDED',
      `the extended attribute ${JSON.stringify(name.slice(0, 80))} has a name of ${name.length} and a value of ${value.length} bytes`,
      {
        hint: 'Linux takes names up to 255 and values up to 65,536 bytes; remove it from the image',
      },
    )
  }
  const type = xattrPrefixes.findIndex((prefix) => name.startsWith(prefix))
  const suffix = name.slice(xattrPrefixes[type]?.length)
  const bytes = Buffer.alloc(4 + suffix.length + 4 + value.length)
  bytes.writeUInt16LE(type, 0)
  bytes.writeUInt16LE(suffix.length, 2)
  bytes.write(suffix, 4, 'latin1')
  bytes.writeUInt32LE(value.length, 4 + suffix.length)
  bytes.set(value, 8 + suffix.length)
  return bytes
}
