/**
 * Where everything goes in the image: stored blocks are copied as they are, in the order of their
 * layers; whole fragment blocks too, unless so little of one is still needed that its tails are better
 * packed anew. Pure: it reads the index of the layers and writes nothing.
 */
import { blockSizeMask } from '../../squashfs/format.ts'
import type { FragmentBlock } from '../../squashfs/inode.ts'
import type { PackedLayer } from '../packed-layer.ts'
import type { DirectoryNode } from '../tree/node.ts'
import { type ContentHome, findContentHomes } from './content-home.ts'
import {
  type FragmentUse,
  fragmentsToRepack,
  packTails,
  type RepackedFragment,
} from './fragment-repacking.ts'

/** A range of a packed layer's file that is copied as it is. */
export type CopiedRange = {
  readonly source: number
  readonly position: number
  sizeBytes: number
  /** Position in the squashfs image. */
  readonly target: number
}

export type ImageLayout = {
  readonly ranges: readonly CopiedRange[]
  /** Fragment blocks that are copied; those packed anew follow them in the fragment table. */
  readonly fragments: readonly FragmentBlock[]
  readonly repacked: readonly RepackedFragment[]
  /** End of the copied ranges: where the repacked fragments begin. */
  readonly copiedEnd: number
}

export type LayoutOptions = {
  /** Position of the first data byte in the image (96 without compressor options). */
  readonly dataStart: number
  readonly blockSize: number
}

/** Lays out the contents of a tree and tells its files where they will be. */
export function layOutImage(
  root: DirectoryNode,
  layers: readonly PackedLayer[],
  options: LayoutOptions,
): ImageLayout {
  const homes = findContentHomes(root)
  const uses = fragmentUses(homes)
  const repack = new Set(fragmentsToRepack(uses, layers, options.blockSize))
  const copier = new RangeCopier(options.dataStart)
  const fragments: FragmentBlock[] = []
  for (const extent of extentsOf(
    homes,
    uses.filter((use) => !repack.has(use)),
    layers,
  )) {
    const position = copier.copy(extent.source, extent.position, extent.sizeBytes)
    if ('home' in extent) placeBlocks(extent.home, position)
    else placeTails(extent.use, fragments.push({ position, sizeWord: extent.sizeWord }) - 1)
  }
  placeHoles(homes)
  const repacked = packTails([...repack], fragments.length, options.blockSize)
  return { ranges: copier.ranges, fragments, repacked, copiedEnd: copier.end }
}

/** The stored size within a squashfs size word. */
export function storedSize(sizeWord: number): number {
  return sizeWord & blockSizeMask
}

function fragmentUses(homes: readonly ContentHome[]): FragmentUse[] {
  const uses: FragmentUse[] = []
  let use: FragmentUse | undefined
  for (const home of homes) {
    const { source, packed } = home
    if (packed.fragment === undefined) continue
    const { index } = packed.fragment
    // homes come in the order of their places, so those in one fragment come together
    if (use?.source !== source || use.index !== index) {
      use = { source, index, homes: [], liveBytes: 0 }
      uses.push(use)
    }
    use.homes.push(home)
    use.liveBytes += packed.sizeBytes
  }
  return uses
}

type Extent = { readonly source: number; readonly position: number; readonly sizeBytes: number } & (
  | { readonly home: ContentHome }
  | { readonly use: FragmentUse; readonly sizeWord: number }
)

/** Everything that is copied, in the order in which it lies in the layers. */
function extentsOf(
  homes: readonly ContentHome[],
  uses: readonly FragmentUse[],
  layers: readonly PackedLayer[],
): Extent[] {
  const extents: Extent[] = []
  for (const home of homes) {
    const sizeBytes = storedBytes(home.packed.blocks)
    if (sizeBytes > 0)
      extents.push({ source: home.source, position: home.packed.position, sizeBytes, home })
  }
  for (const use of uses) {
    const block = layers[use.source]?.fragments[use.index]
    if (block === undefined) continue
    const { position, sizeWord } = block
    extents.push({ source: use.source, position, sizeBytes: storedSize(sizeWord), use, sizeWord })
  }
  return extents.sort((a, b) => a.source - b.source || a.position - b.position)
}

function storedBytes(blocks: Uint32Array): number {
  let sum = 0
  for (const word of blocks) sum += storedSize(word)
  return sum
}

/** Gives ranges their place one after the other and joins those that touch in the source. */
class RangeCopier {
  readonly ranges: CopiedRange[] = []
  end: number

  constructor(start: number) {
    this.end = start
  }

  copy(source: number, position: number, sizeBytes: number): number {
    const last = this.ranges[this.ranges.length - 1]
    const target = this.end
    if (
      last !== undefined &&
      last.source === source &&
      last.position + last.sizeBytes === position
    ) {
      last.sizeBytes += sizeBytes
    } else {
      this.ranges.push({ source, position, sizeBytes, target })
    }
    this.end += sizeBytes
    return target
  }
}

function placeBlocks(home: ContentHome, start: number): void {
  const { sizeBytes, blocks } = home.packed
  for (const file of home.files) file.content = { sizeBytes, start, blocks, fragment: undefined }
}

/** Files of nothing but zeros have size words and no stored bytes. */
function placeHoles(homes: readonly ContentHome[]): void {
  for (const home of homes) {
    const isHole = home.packed.fragment === undefined && home.files[0]?.content.sizeBytes === 0
    if (isHole) placeBlocks(home, 0)
  }
}

function placeTails(use: FragmentUse, index: number): void {
  for (const home of use.homes) {
    const { sizeBytes, blocks, fragment } = home.packed
    const offset = fragment?.offset ?? 0
    for (const file of home.files) {
      file.content = { sizeBytes, start: 0, blocks, fragment: { index, offset } }
    }
  }
}
