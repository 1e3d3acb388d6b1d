import {
  type ContentColumns,
  IndexedContent,
  PackedContents,
} from '../../src/image/packed-contents.ts'
import type { PackedContent } from '../../src/image/packed-layer.ts'

/** Contents as the index of one packed layer has them. */
export function packedContents(contents: readonly PackedContent[]): PackedContents {
  const starts = (sizes: readonly number[]) => {
    const all = [0]
    for (const size of sizes) all.push((all.at(-1) ?? 0) + size)
    return all
  }
  const identityLengths = contents.map(({ identity }) => identity.length)
  const columns: ContentColumns = {
    length: contents.length,
    text: contents.map(({ identity }) => identity).join(''),
    sizes: Float64Array.from(contents, ({ sizeBytes }) => sizeBytes),
    identityStarts: Uint32Array.from(starts(identityLengths)),
    identityLengths: Uint32Array.from(identityLengths),
    positions: Float64Array.from(contents, ({ position }) => position),
    fragments: Int32Array.from(contents, ({ fragment }) => fragment?.index ?? -1),
    offsets: Uint32Array.from(contents, ({ fragment }) => fragment?.offset ?? 0),
    blockStarts: Uint32Array.from(starts(contents.map(({ blocks }) => blocks.length))),
    blocks: Uint32Array.from(contents.flatMap(({ blocks }) => [...blocks])),
  }
  return new PackedContents(columns)
}

export function indexedContent(content: PackedContent): IndexedContent {
  return new IndexedContent(packedContents([content]), 0)
}
