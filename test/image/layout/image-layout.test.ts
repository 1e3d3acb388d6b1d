/** Laws of the layout, on records alone: what is live is copied once, and what is dead is not. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { layOutImage } from '../../../src/image/layout/image-layout.ts'
import type { PackedContents } from '../../../src/image/packed-contents.ts'
import type { PackedContent, PackedFragment, PackedLayer } from '../../../src/image/packed-layer.ts'
import { ImageTree } from '../../../src/image/tree/node.ts'
import type { FileContent } from '../../fakes/tree-records.ts'
import { packedEntries } from '../indexed-contents.ts'

const blockSize = 4096
const dataStart = 96
const metadata = { mode: 0o644, uid: 0, gid: 0, mtime: 0, xattrs: undefined }

/** A file of a layer: identity, size; below a block it lies in a fragment, otherwise in blocks. */
type Packed = { readonly identity: string; readonly sizeBytes: number }

/** Packs like a layer: blocks stored raw one after the other, tails in fragments, equal ones once. */
function packed(files: readonly Packed[]): { layer: PackedLayer; contents: PackedContent[] } {
  const fragments: PackedFragment[] = []
  const known = new Map<string, PackedContent>()
  let position = 40
  let tails = 0
  const cut = () => {
    if (tails > 0) fragments.push({ position, sizeWord: tails | 0x1000000, sizeBytes: tails })
    position += tails
    tails = 0
  }
  const contents = files.map(({ identity, sizeBytes }) => {
    const old = known.get(identity)
    if (old !== undefined) return old
    const content = sizeBytes < blockSize ? tail(identity, sizeBytes) : blocks(identity, sizeBytes)
    known.set(identity, content)
    return content
  })
  cut()
  const entries = packedEntries(
    contents.map((content, index) => ({
      ...metadata,
      kind: 'file',
      path: `file-${index}`,
      content,
    })),
  )
  return { layer: { fragments, entries } as unknown as PackedLayer, contents }

  function tail(identity: string, sizeBytes: number): PackedContent {
    if (tails + sizeBytes > blockSize) cut()
    const fragment = { index: fragments.length, offset: tails }
    tails += sizeBytes
    return { identity, sizeBytes, position: 0, blocks: new Uint32Array(), fragment }
  }

  function blocks(identity: string, sizeBytes: number): PackedContent {
    const count = Math.ceil(sizeBytes / blockSize)
    const words = Uint32Array.from(
      { length: count },
      (_, i) => 0x1000000 | Math.min(blockSize, sizeBytes - i * blockSize),
    )
    const start = position
    position += sizeBytes
    return { identity, sizeBytes, position: start, blocks: words, fragment: undefined }
  }
}

/** Where a file's bytes lie in its layer, and in the image once that is laid out. */
type PlacedFile = { readonly packed: PackedContent; readonly content: FileContent }

type World = {
  readonly tree: ImageTree
  readonly layers: PackedLayer[]
  readonly files: PlacedFile[]
}

/** The files of all layers in one directory, but for those that upper layers hide. */
function worldOf(stack: readonly (readonly Packed[])[], isHidden: (n: number) => boolean): World {
  const tree = new ImageTree()
  const layers: PackedLayer[] = []
  const files: PlacedFile[] = []
  let number = 0
  for (const entries of stack) {
    const { layer, contents } = packed(entries)
    layers.push(layer)
    const firstLeaf = tree.leaves.add(layer.entries)
    for (const [index, from] of contents.entries()) {
      number += 1
      if (isHidden(number)) continue
      tree.root.names.set(`file-${number}`, firstLeaf + index)
      files.push({
        packed: from,
        get content() {
          return placed(layer.entries.contents, index)
        },
      })
    }
  }
  return { tree, layers, files }
}

const layOut = ({ tree, layers }: Pick<World, 'tree' | 'layers'>) =>
  layOutImage(tree.flatten(0), layers, { dataStart, blockSize })

const stacks = fc.array(
  fc.array(
    fc.nat(30).map((n) => ({ identity: `content ${n}`, sizeBytes: 1 + ((n * 977) % 9000) })),
    { maxLength: 12 },
  ),
  { minLength: 1, maxLength: 4 },
)
const cases = fc.tuple(stacks, fc.integer({ min: 1, max: 4 }))

test.each([1, 512, 513, 514, 1025])('of %i contents, each has its equal above it', (count) => {
  const contents = Array.from({ length: count }, (_, n) => ({ identity: `${n}`, sizeBytes: 5 }))
  const world = worldOf([contents, contents.toReversed()], () => false)
  layOut(world)
  const placeOf = ({ content }: PlacedFile) => content.fragment
  const lower = world.files.slice(0, count).map(placeOf)
  expect(world.files.slice(count).map(placeOf)).toEqual(lower.toReversed())
})

describe('for any layers', () => {
  test('every file has all its bytes, within what is copied or packed anew', () =>
    fc.assert(
      fc.property(cases, ([stack, hidden]) => {
        const world = worldOf(stack, (n) => n % (hidden + 1) === 0)
        const layout = layOut(world)
        const fragmentSizes = [
          ...layout.fragments.map(({ sizeWord }) => sizeWord & 0xffffff),
          ...layout.repacked.map(({ tails }) => tails.reduce((sum, one) => sum + one.sizeBytes, 0)),
        ]
        for (const { packed: from, content } of world.files) {
          expect(content.sizeBytes).toBe(from.sizeBytes)
          if (from.fragment === undefined) {
            expect(content.start).toBeGreaterThanOrEqual(dataStart)
            expect(content.start + from.sizeBytes).toBeLessThanOrEqual(layout.copiedEnd)
          } else {
            const { index = -1, offset = 0 } = content.fragment ?? {}
            expect(offset + from.sizeBytes).toBeLessThanOrEqual(fragmentSizes[index] ?? 0)
          }
        }
      }),
    ))

  test('ranges follow one another without gaps and never overlap in their source', () =>
    fc.assert(
      fc.property(cases, ([stack, hidden]) => {
        const { ranges, copiedEnd } = layOut(worldOf(stack, (n) => n % (hidden + 1) === 0))
        let end = dataStart
        let last = { source: -1, end: 0 }
        for (const { source, position, sizeBytes, target } of ranges) {
          expect(target).toBe(end)
          if (source === last.source) expect(position).toBeGreaterThan(last.end)
          else expect(source).toBeGreaterThan(last.source)
          last = { source, end: position + sizeBytes }
          end += sizeBytes
        }
        expect(copiedEnd).toBe(end)
      }),
    ))

  test('each distinct content is stored once, wherever it occurs', () =>
    fc.assert(
      fc.property(stacks, (stack) => {
        const world = worldOf(stack, () => false)
        const { copiedEnd, repacked } = layOut(world)
        const distinct = new Map(world.files.map(({ packed: one }) => [one.identity, one]))
        const live = [...distinct.values()].reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
        const tails = repacked.flatMap((fragment) => fragment.tails)
        const moved = tails.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
        const stored = copiedEnd - dataStart + moved
        expect(stored).toBeGreaterThanOrEqual(live)
        // what a copied fragment may have lost stays below a quarter of a block
        const fragments = world.layers.reduce((sum, layer) => sum + layer.fragments.length, 0)
        expect(stored - live).toBeLessThanOrEqual(fragments * (blockSize / 4))
      }),
    ))

  test('the order in which a directory holds its names changes nothing', () =>
    fc.assert(
      fc.property(cases, fc.array(fc.nat()), ([stack, hidden], shuffle) => {
        const isHidden = (n: number) => n % (hidden + 1) === 0
        const straight = layOut(worldOf(stack, isHidden))
        const world = worldOf(stack, isHidden)
        const names = [...world.tree.root.names].map((entry, i) => ({
          entry,
          key: shuffle[i] ?? 0,
        }))
        world.tree.root.names.clear()
        for (const { entry } of names.sort((a, b) => a.key - b.key).reverse()) {
          world.tree.root.names.set(...entry)
        }
        expect(layOut(world)).toEqual(straight)
      }),
    ))
})

test('ranges of two layers are not joined, though the one begins where the other ends', () => {
  const stack = [
    [{ identity: 'a', sizeBytes: 5000 }],
    [
      { identity: 'hidden', sizeBytes: 5000 },
      { identity: 'b', sizeBytes: 6000 },
    ],
  ]
  const { ranges } = layOut(worldOf(stack, (n) => n === 2))
  expect(ranges.map(({ source, sizeBytes }) => [source, sizeBytes])).toEqual([
    [0, 5000],
    [1, 6000],
  ])
})

describe('a fragment', () => {
  const tails = (sizes: readonly number[]) =>
    sizes.map((sizeBytes, i) => ({ identity: `${i}`, sizeBytes }))

  test('of which nothing is needed is left out', () => {
    const world = worldOf([tails([2000, 2000])], () => true)
    expect(layOut(world)).toMatchObject({ ranges: [], fragments: [], repacked: [] })
  })

  test.each([
    ['a byte less than a quarter', 1023, 0],
    ['a quarter', 1024, 1],
  ])('that has lost %s of a block (%i bytes) is packed anew %i times', (_, lost, repacked) => {
    const world = worldOf([tails([lost, 4096 - lost])], (n) => n === 1)
    const layout = layOut(world)
    expect(layout.repacked).toHaveLength(repacked)
    expect(layout.fragments).toHaveLength(1 - repacked)
  })

  test.each([
    ['half full stay', 2048, 2, 0],
    ['less than half full are joined', 2047, 0, 1],
  ])('that ends its layer: two that are %s', (_, sizeBytes, copied, repacked) => {
    const layer = (identity: string) => [{ identity, sizeBytes }]
    const layout = layOut(worldOf([layer('a'), layer('b')], () => false))
    expect(layout.fragments).toHaveLength(copied)
    expect(layout.repacked).toHaveLength(repacked)
  })

  test('that ends the only layer stays as it is, however small', () => {
    const layout = layOut(worldOf([tails([10])], () => false))
    expect(layout).toMatchObject({ fragments: [{ position: dataStart }], repacked: [] })
  })
})

/** Where a content lies in the image that was last laid out. */
function placed({ columns, placement }: PackedContents, index: number): FileContent {
  const home = placement.homes.get(index)
  if (home !== undefined) return placed(home.contents, home.index)
  const fragment = placement.fragments[index] ?? -1
  return {
    sizeBytes: columns.sizes[index] ?? 0,
    start: placement.starts[index] ?? 0,
    blocks: columns.blocks.slice(columns.blockStarts[index], columns.blockStarts[index + 1]),
    fragment: fragment < 0 ? undefined : { index: fragment, offset: placement.offsets[index] ?? 0 },
  }
}
