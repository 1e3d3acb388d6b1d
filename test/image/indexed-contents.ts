import { type ContentColumns, PackedContents } from '../../src/image/packed-contents.ts'
import { PackedEntries } from '../../src/image/packed-entries.ts'
import type { PackedContent, PackedEntry } from '../../src/image/packed-layer.ts'
import { entryKinds } from '../../src/image/packed-layer-format.ts'

function startsOf(sizes: readonly number[]): number[] {
  const starts = [0]
  for (const size of sizes) starts.push((starts.at(-1) ?? 0) + size)
  return starts
}

/** Contents as the index of one packed layer has them. */
export function packedContents(contents: readonly PackedContent[]): PackedContents {
  const identityLengths = contents.map(({ identity }) => identity.length)
  const columns: ContentColumns = {
    length: contents.length,
    text: contents.map(({ identity }) => identity).join(''),
    sizes: Float64Array.from(contents, ({ sizeBytes }) => sizeBytes),
    identityStarts: Uint32Array.from(startsOf(identityLengths)),
    identityLengths: Uint32Array.from(identityLengths),
    positions: Float64Array.from(contents, ({ position }) => position),
    fragments: Int32Array.from(contents, ({ fragment }) => fragment?.index ?? -1),
    offsets: Uint32Array.from(contents, ({ fragment }) => fragment?.offset ?? 0),
    blockStarts: Uint32Array.from(startsOf(contents.map(({ blocks }) => blocks.length))),
    blocks: Uint32Array.from(contents.flatMap(({ blocks }) => [...blocks])),
  }
  return new PackedContents(columns)
}

/** Entries as the index of one packed layer has them. */
export function packedEntries(entries: readonly PackedEntry[]): PackedEntries {
  const contents: PackedContent[] = []
  const targetOf = (entry: PackedEntry) => ('target' in entry ? entry.target : '')
  const strings = entries.flatMap((entry) => [entry.path, targetOf(entry)])
  const starts = startsOf(strings.map(({ length }) => length))
  const firstOf = (entry: PackedEntry, index: number) => {
    if (entry.kind === 'file') return contents.push(entry.content) - 1
    return 'major' in entry ? entry.major : (starts[2 * index + 1] ?? 0)
  }
  const firsts = Uint32Array.from(entries, firstOf)
  return new PackedEntries({
    length: entries.length,
    text: strings.join(''),
    kinds: Uint8Array.from(entries, ({ kind }) => entryKinds.indexOf(kind)),
    pathStarts: Uint32Array.from(entries, (_, index) => starts[2 * index] ?? 0),
    pathLengths: Uint32Array.from(entries, ({ path }) => path.length),
    modes: Uint16Array.from(entries, ({ mode }) => mode),
    uids: Uint32Array.from(entries, ({ uid }) => uid),
    gids: Uint32Array.from(entries, ({ gid }) => gid),
    mtimes: Uint32Array.from(entries, ({ mtime }) => mtime),
    xattrs: new Map(
      entries.flatMap(({ xattrs }, index) => (xattrs === undefined ? [] : [[index, xattrs]])),
    ),
    firsts,
    seconds: Uint32Array.from(entries, (entry) =>
      'minor' in entry ? entry.minor : targetOf(entry).length,
    ),
    contents: packedContents(contents),
  })
}

/** The entries of a packed layer as records. */
export function listEntries(entries: PackedEntries): PackedEntry[] {
  return Array.from({ length: entries.length }, (_, index) => {
    const kind = entries.kindOf(index)
    const common = { ...entries.metadataOf(index), path: entries.pathOf(index) }
    switch (kind) {
      case 'file':
        return {
          ...common,
          kind,
          content: contentAt(entries.contents, entries.columns.firsts[index] ?? 0),
        }
      case 'symlink':
      case 'hardlink':
        return { ...common, kind, target: entries.targetOf(index) }
      case 'char-device':
      case 'block-device':
        return { ...common, kind, ...entries.deviceOf(index) }
      default:
        return { ...common, kind }
    }
  })
}

function contentAt(contents: PackedContents, index: number): PackedContent {
  const { sizes, positions, fragments, offsets, blocks, blockStarts, ...rest } = contents.columns
  const identityStart = rest.identityStarts[index] ?? 0
  const identityEnd = identityStart + (rest.identityLengths[index] ?? 0)
  const fragment = fragments[index] ?? -1
  return {
    sizeBytes: sizes[index] ?? 0,
    identity: rest.text.slice(identityStart, identityEnd),
    position: positions[index] ?? 0,
    blocks: blocks.subarray(blockStarts[index], blockStarts[index + 1]),
    fragment: fragment < 0 ? undefined : { index: fragment, offset: offsets[index] ?? 0 },
  }
}
