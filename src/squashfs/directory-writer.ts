/** Encodes directory listings (format.adoc "Directory Table" and "Directory Index"). */
import {
  metadataBlockBytes,
  mostIndexEntries,
  mostRunEntries,
  referenceBase,
  runEntryBytes,
  runHeaderBytes,
} from './format.ts'
import type { MetadataWriter } from './metadata-writer.ts'

/** The entries of one directory in byte order, and the columns in which their inodes are looked up. */
export type ListingEntries = {
  readonly names: readonly string[]
  /** Index of each entry's inode in the columns. */
  readonly children: Uint32Array
  readonly references: Float64Array
  readonly numbers: Uint32Array
  /** Basic types, also for inodes of extended form: with others the kernel cuts the directory short. */
  readonly types: Uint8Array
}

/** A listing that has been written, as its inode will describe it. */
export type DirectoryListing = {
  readonly reference: number
  /** Headers and entries, without the three implied bytes. */
  readonly sizeBytes: number
  /** Where to start looking for a name: one place per 8 KiB, none in small directories. */
  readonly index: readonly DirectoryIndexEntry[]
}

type DirectoryIndexEntry = {
  /** Of a run header, in the listing. */
  readonly listingOffset: number
  /** Number of the metadata block that holds that header. */
  readonly block: number
  /** First name of that run. */
  readonly name: string
}

/**
 * Writes a listing as runs of entries whose inodes lie in one metadata block. A run ends early where
 * the listing passes 8 KiB since the last place in the index, so that a lookup in a directory of any
 * size reads about one block (mksquashfs does the same).
 */
export function writeListing(out: MetadataWriter, entries: ListingEntries): DirectoryListing {
  const { reference } = out
  const index: DirectoryIndexEntry[] = []
  let sizeBytes = 0
  let indexedAt = 0
  for (let first = 0; first < entries.names.length; ) {
    const name = entries.names[first] ?? ''
    const passes = sizeBytes + entryBytes(name) - indexedAt > metadataBlockBytes
    if (first > 0 && passes && index.length < mostIndexEntries) {
      const block = Math.floor(out.reference / referenceBase)
      index.push({ listingOffset: sizeBytes, block, name })
      indexedAt = sizeBytes
    }
    const end = runEnd(entries, first, indexedAt + metadataBlockBytes - sizeBytes - runHeaderBytes)
    sizeBytes += writeRun(out, entries, first, end)
    first = end
  }
  return { reference, sizeBytes, index }
}

function entryBytes(name: string): number {
  return runEntryBytes + name.length
}

/** The entry after the last that fits in a run: 256 entries, one inode block, 16-bit differences. */
function runEnd(entries: ListingEntries, first: number, roomBytes: number): number {
  const { names, children, references, numbers } = entries
  const start = children[first] ?? 0
  const block = Math.floor((references[start] ?? 0) / referenceBase)
  const base = numbers[start] ?? 0
  const last = Math.min(first + mostRunEntries, names.length)
  let room = roomBytes - entryBytes(names[first] ?? '')
  let end = first + 1
  for (; end < last; end++) {
    const child = children[end] ?? 0
    const difference = (numbers[child] ?? 0) - base
    room -= entryBytes(names[end] ?? '')
    const fits = room >= 0 && difference >= -0x8000 && difference <= 0x7fff
    if (!fits || Math.floor((references[child] ?? 0) / referenceBase) !== block) break
  }
  return end
}

function writeRun(
  out: MetadataWriter,
  entries: ListingEntries,
  first: number,
  end: number,
): number {
  const { names, children, references, numbers, types } = entries
  const start = children[first] ?? 0
  const base = numbers[start] ?? 0
  const header = out.claim(runHeaderBytes)
  out.view.setUint32(header, end - first - 1, true)
  out.refer(header + 4, Math.floor((references[start] ?? 0) / referenceBase))
  out.view.setUint32(header + 8, base, true)
  let sizeBytes = runHeaderBytes
  for (let entry = first; entry < end; entry++) {
    const name = names[entry] ?? ''
    const child = children[entry] ?? 0
    const at = out.claim(runEntryBytes + name.length)
    out.view.setUint16(at, (references[child] ?? 0) % referenceBase, true)
    out.view.setInt16(at + 2, (numbers[child] ?? 0) - base, true)
    out.view.setUint16(at + 4, types[child] ?? 0, true)
    out.view.setUint16(at + 6, name.length - 1, true)
    out.bytes.write(name, at + runEntryBytes, 'latin1')
    sizeBytes += runEntryBytes + name.length
  }
  return sizeBytes
}
