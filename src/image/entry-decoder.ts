/** Decodes the entries of a packed layer's index into columns, and checks all that later reads rely on. */
import { type Bounds, ContentDecoder } from './content-decoder.ts'
import { damaged, type IndexDecoder } from './index-decoder.ts'
import { defaultLayerLimits } from './layer-limits.ts'
import { type EntryColumns, PackedEntries } from './packed-entries.ts'
import type { PackedFragment } from './packed-layer.ts'
import { entryKinds } from './packed-layer-format.ts'

/** Kind, length of the path, mode, two owners, time and number of xattrs take a byte each at least. */
const leastEntryBytes = 7

/** @throws {SregistryError} IMAGE_INVALID. */
export function decodeEntries(
  decoder: IndexDecoder,
  fragments: readonly PackedFragment[],
  bounds: Bounds,
): PackedEntries {
  const length = decoder.count(leastEntryBytes)
  // a column for each is ten times what the shortest entries take in the index
  if (length > defaultLayerLimits.maxEntries) throw damaged('it has too many entries')
  const contents = new ContentDecoder(decoder, length, { fragments, ...bounds })
  const xattrs = new Map<number, ReadonlyMap<string, Uint8Array>>()
  const columns = emptyColumns(length)
  const { kinds, pathStarts, pathLengths, modes, uids, gids, mtimes, firsts, seconds } = columns
  for (let index = 0; index < length; index += 1) {
    const kind = decoder.number()
    kinds[index] = kind
    const pathLength = decoder.skip()
    pathLengths[index] = pathLength
    pathStarts[index] = decoder.offset - pathLength
    modes[index] = decoder.unsigned(16)
    uids[index] = decoder.unsigned(32)
    gids[index] = decoder.unsigned(32)
    mtimes[index] = decoder.unsigned(32)
    const xattrCount = decoder.count()
    if (xattrCount > 0) xattrs.set(index, decodeXattrs(decoder, xattrCount))
    switch (entryKinds[kind]) {
      case 'file':
        firsts[index] = contents.decode()
        break
      case 'symlink':
      case 'hardlink': {
        const targetLength = decoder.skip()
        firsts[index] = decoder.offset - targetLength
        seconds[index] = targetLength
        break
      }
      case 'char-device':
      case 'block-device':
        firsts[index] = decoder.unsigned(32)
        seconds[index] = decoder.unsigned(32)
        break
      case undefined:
        throw damaged('a number stands for nothing')
    }
  }
  const { text } = decoder
  return new PackedEntries({ ...columns, length, text, xattrs, contents: contents.finish() })
}

function emptyColumns(
  length: number,
): Omit<EntryColumns, 'length' | 'text' | 'xattrs' | 'contents'> {
  const column = () => new Uint32Array(length)
  return {
    kinds: new Uint8Array(length),
    pathStarts: column(),
    pathLengths: column(),
    modes: new Uint16Array(length),
    uids: column(),
    gids: column(),
    mtimes: column(),
    firsts: column(),
    seconds: column(),
  }
}

function decodeXattrs(decoder: IndexDecoder, count: number): ReadonlyMap<string, Uint8Array> {
  const xattrs = new Map<string, Uint8Array>()
  for (let i = 0; i < count; i += 1) xattrs.set(decoder.latin1(), decoder.bytes())
  return xattrs
}
