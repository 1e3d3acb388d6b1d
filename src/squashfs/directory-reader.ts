import { damagedImage } from './damaged-image.ts'
import { mostRunEntries, referenceBase, runEntryBytes, runHeaderBytes } from './format.ts'
import type { InodeKind } from './inode.ts'
import { kindOfType } from './inode-reader.ts'
import type { MetadataCursor } from './metadata-reader.ts'

/** A name in a directory and the inode that it stands for. */
export type DirectoryEntry = {
  /** latin1, one char per byte. */
  readonly name: string
  readonly kind: InodeKind
  readonly reference: number
  readonly number: number
}

/**
 * The entries of a listing in byte order.
 * @throws {SregistryError} IMAGE_INVALID where the listing is damaged: also for names that are out of
 *   order or would lead elsewhere (`..`, `a/b`), since callers make paths of them.
 * @see format.adoc "Directory Table"
 */
export async function* readListing(
  cursor: MetadataCursor,
  sizeBytes: number,
): AsyncGenerator<DirectoryEntry> {
  let previous = ''
  for (let left = sizeBytes; left > 0; ) {
    const header = await cursor.read(runHeaderBytes)
    left -= runHeaderBytes
    const count = header.readUInt32LE(0) + 1
    if (count > mostRunEntries) throw damagedImage(`a directory has a run of ${count} entries`)
    for (let entry = 0; entry < count; entry++) {
      const found = await readEntry(cursor, header)
      left -= runEntryBytes + found.name.length
      if (left < 0) throw damagedImage('a directory is longer than its inode says')
      if (found.name <= previous) throw damagedImage('the names of a directory are out of order')
      previous = found.name
      yield found
    }
  }
}

async function readEntry(cursor: MetadataCursor, header: Buffer): Promise<DirectoryEntry> {
  const fixed = await cursor.read(runEntryBytes)
  const kind = kindOfType(fixed.readUInt16LE(4))
  const name = (await cursor.read(fixed.readUInt16LE(6) + 1)).toString('latin1')
  if (name === '.' || name === '..' || name.includes('/') || name.includes('\0')) {
    throw damagedImage(`it has an entry named ${JSON.stringify(name)}`)
  }
  return {
    name,
    kind,
    reference: header.readUInt32LE(4) * referenceBase + fixed.readUInt16LE(0),
    number: header.readUInt32LE(8) + fixed.readInt16LE(2),
  }
}
