/** Puts a tree into the memory of the module that encodes it. */
import { noMemory } from '../errors/no-memory.ts'
import type { FlatDirectory, FlatTree } from './flat-tree.ts'
import { inodeType } from './format.ts'
import type { InodeMetadata } from './inode.ts'
import { memoryUse, type TablesExports, tableColumns } from './tables-module.ts'
import type { LeafColumns, SourceContents, TreeSource } from './tree-source.ts'

type Xattrs = NonNullable<InodeMetadata['xattrs']>

/**
 * Fills the columns.
 * @returns the sets of extended attributes, by their numbers; 0 is none.
 * @throws {SregistryError} LIMIT_EXCEEDED where there is not enough memory.
 */
export function placeTree(
  { directories, leaves }: TreeSource,
  tables: TablesExports,
): readonly (Xattrs | undefined)[] {
  const { parts } = leaves
  const textBytes = sum(parts, ({ text }) => text.length)
  if (textBytes + directories.nameBytes > 0xffff_ffff) throw noMemory(memoryUse)
  tables.reserveTree(
    sum(parts, ({ length }) => length),
    sum(parts, ({ contents }) => contents.columns.length),
    sum(parts, ({ contents }) => blockCount(contents)),
    directories.list.length,
    directories.children.length,
    textBytes,
    directories.nameBytes,
  )
  const memory = new TreeMemory(tables)
  memory.setTypes(leaves.kinds)
  for (const part of parts) memory.addPart(part)
  memory.setHomes(parts)
  memory.setLinks(leaves.links)
  memory.setDirectories(directories)
  return memory.xattrSets
}

function sum<T>(list: readonly T[], sizeOf: (one: T) => number): number {
  return list.reduce((total, one) => total + sizeOf(one), 0)
}

function blockCount({ columns }: SourceContents): number {
  return columns.blockStarts[columns.length] ?? 0
}

/** The columns, of which the first values have been given. */
class TreeMemory {
  readonly xattrSets: (Xattrs | undefined)[] = [undefined]
  private readonly tables: TablesExports
  private readonly buffer: ArrayBuffer
  private readonly text: Buffer
  private leaves = 0
  private contents = 0
  private blocks = 0
  private textBytes = 0
  /** The number of each part's first content. */
  private readonly firstContents = new Map<SourceContents, number>()

  constructor(tables: TablesExports) {
    this.tables = tables
    this.buffer = tables.memory.buffer
    this.text = Buffer.from(this.buffer, tables.textStart() >>> 0)
  }

  setTypes(kinds: readonly string[]): void {
    const types = kinds.map((kind) => (inodeType as Record<string, number>)[kind] ?? 0)
    new Uint8Array(this.buffer, this.tables.typesStart()).set(types)
  }

  addPart(part: LeafColumns): void {
    const { length, text, contents } = part
    this.bytes('kinds').set(part.kinds, this.leaves)
    new Uint16Array(this.buffer, this.address('modes')).set(part.modes, this.leaves)
    for (const name of leafColumns) this.words(name).set(part[name], this.leaves)
    const sets = this.words('xattrSets')
    for (const [index, xattrs] of part.xattrs) sets[this.leaves + index] = this.addXattrs(xattrs)
    this.text.write(text, this.textBytes, 'latin1')
    this.addContents(contents)
    this.tables.addPart(
      this.leaves,
      length,
      this.contents,
      contents.columns.length,
      this.textBytes,
      this.blocks,
    )
    this.leaves += length
    this.contents += contents.columns.length
    this.blocks += blockCount(contents)
    this.textBytes += text.length
  }

  setHomes(parts: readonly LeafColumns[]): void {
    const all = this.words('homes')
    // a layer that comes twice has its contents twice
    let first = 0
    for (const { contents } of parts) {
      for (const [index, home] of contents.placement.homes) {
        all[first + index] = (this.firstContents.get(home.contents) ?? 0) + home.index
      }
      first += contents.columns.length
    }
  }

  setLinks(links: ReadonlyMap<number, number>): void {
    const inodes = this.words('inodes')
    for (const [leaf, inode] of links) inodes[leaf] = inode
  }

  setDirectories({ list, children, childEnds }: FlatTree): void {
    const modes = new Uint16Array(this.buffer, this.address('directoryModes'))
    const uids = this.words('directoryUids')
    const gids = this.words('directoryGids')
    const mtimes = this.words('directoryMtimes')
    const sets = this.words('directoryXattrSets')
    const nameEnds = this.words('nameEnds')
    let nameEnd = 0
    for (let number = 0; number < list.length; number += 1) {
      const { directory, name } = list[number] as FlatDirectory
      modes[number] = directory.mode
      uids[number] = directory.uid
      gids[number] = directory.gid
      mtimes[number] = directory.mtime
      if (directory.xattrs !== undefined) sets[number] = this.addXattrs(directory.xattrs)
      // after what the leaves say
      this.text.write(name, this.textBytes + nameEnd, 'latin1')
      nameEnd += name.length
      nameEnds[number] = nameEnd
    }
    this.words('childEnds').set(childEnds)
    this.words('children').set(children)
  }

  private addContents(contents: SourceContents): void {
    const { columns, placement } = contents
    const { length } = columns
    const floats = (name: 'sizes' | 'starts', from: Float64Array) =>
      new Float64Array(this.buffer, this.address(name)).set(from.subarray(0, length), this.contents)
    floats('sizes', columns.sizes)
    floats('starts', placement.starts)
    const words = (name: keyof typeof tableColumns, from: Uint32Array | Int32Array) =>
      this.words(name).set(from, this.contents)
    words('fragments', placement.fragments.subarray(0, length))
    words('offsets', placement.offsets.subarray(0, length))
    words('blockStarts', columns.blockStarts.subarray(0, length))
    words('blockEnds', columns.blockStarts.subarray(1, length + 1))
    this.words('blocks').set(columns.blocks.subarray(0, blockCount(contents)), this.blocks)
    // the same part may come twice
    if (!this.firstContents.has(contents)) this.firstContents.set(contents, this.contents)
  }

  private addXattrs(xattrs: Xattrs): number {
    return this.xattrSets.push(xattrs) - 1
  }

  private address(name: keyof typeof tableColumns): number {
    return this.tables.addressOf(tableColumns[name]) >>> 0
  }

  private bytes(name: keyof typeof tableColumns): Uint8Array {
    return new Uint8Array(this.buffer, this.address(name))
  }

  private words(name: keyof typeof tableColumns): Uint32Array {
    return new Uint32Array(this.buffer, this.address(name))
  }
}

const leafColumns = [
  'uids',
  'gids',
  'mtimes',
  'pathStarts',
  'pathLengths',
  'firsts',
  'seconds',
] as const
