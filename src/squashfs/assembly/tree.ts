/**
 * The tree, as JavaScript has put it into this memory: columns, in which a leaf, a content and a directory are
 * numbers. A child of a directory is the number of a leaf, or that of a directory with `isDirectory` set.
 */
import { addressOf, at, reserveColumn, setAt } from '../../assembly/columns'
import { reserve } from '../../assembly/memory'

export const isDirectory: u32 = 0x8000_0000

/** Columns by number, in the order of `tableColumns` (tables-module.ts). */
export namespace Column {
  // of the leaves
  export const kinds = 0
  export const modes = 1
  export const uids = 2
  export const gids = 3
  export const mtimes = 4
  export const pathStarts = 5
  export const pathLengths = 6
  export const firsts = 7
  export const seconds = 8
  export const xattrSets = 9
  /** The leaf that is the inode: another one for hard links. */
  export const inodes = 10
  // of the contents
  export const sizes = 11
  export const starts = 12
  export const fragments = 13
  export const offsets = 14
  export const blockStarts = 15
  export const blockEnds = 16
  /** The content that stands for it. */
  export const homes = 17
  // of the directories
  export const directoryModes = 18
  export const directoryUids = 19
  export const directoryGids = 20
  export const directoryMtimes = 21
  export const directoryXattrSets = 22
  /** Ends of their names, one after the other in the text, and of their children. */
  export const nameEnds = 23
  export const childEnds = 24
  // others
  export const children = 25
  export const blocks = 26
}

export let leafCount: u32 = 0
export let directoryCount: u32 = 0
export let childCount: u32 = 0
/** Paths and targets of the leaves, then the names of the directories, in Latin-1. */
export let text: usize = 0
/** Where the names of the directories begin in it. */
export let directoryNames: usize = 0
/** Basic inode types, and what the extended form of each is more (format.ts). */
export namespace Type {
  export const directory: u32 = 1
  export const file: u32 = 2
  export const symlink: u32 = 3
  export const blockDevice: u32 = 4
  export const charDevice: u32 = 5
  export const extended: u32 = 7
}

/** Type of an inode by the number of its kind. */
export const types = memory.data(16)

export function reserveTree(
  leaves: u32,
  contents: u32,
  blocks: u32,
  directories: u32,
  children: u32,
  leafTextBytes: u32,
  nameBytes: u32,
): void {
  leafCount = leaves
  directoryCount = directories
  childCount = children
  reserveColumn(Column.kinds, leaves, 1)
  reserveColumn(Column.modes, leaves, 2)
  for (let column = Column.uids; column <= Column.inodes; column += 1) {
    reserveColumn(column, leaves, 4)
  }
  reserveColumn(Column.sizes, contents, 8)
  reserveColumn(Column.starts, contents, 8)
  for (let column = Column.fragments; column <= Column.homes; column += 1) {
    reserveColumn(column, contents, 4)
  }
  reserveColumn(Column.directoryModes, directories, 2)
  for (let column = Column.directoryUids; column <= Column.childEnds; column += 1) {
    reserveColumn(column, directories, 4)
  }
  reserveColumn(Column.children, children, 4)
  reserveColumn(Column.blocks, blocks, 4)
  text = reserve(<u64>leafTextBytes + nameBytes)
  directoryNames = text + leafTextBytes
}

/** The places in the columns of one part (a layer) are counted from its own beginning: from that of all from now on. */
export function addPart(
  leaf: u32,
  leaves: u32,
  content: u32,
  contents: u32,
  textStart: u32,
  blockStart: u32,
): void {
  for (let index = leaf; index < leaf + leaves; index += 1) {
    setAt(Column.pathStarts, index, at(Column.pathStarts, index) + textStart)
    setAt(Column.inodes, index, index)
    const type = typeOf(index)
    if (type === Type.file) setAt(Column.firsts, index, at(Column.firsts, index) + content)
    else if (type === Type.symlink)
      setAt(Column.firsts, index, at(Column.firsts, index) + textStart)
  }
  for (let index = content; index < content + contents; index += 1) {
    setAt(Column.blockStarts, index, at(Column.blockStarts, index) + blockStart)
    setAt(Column.blockEnds, index, at(Column.blockEnds, index) + blockStart)
    setAt(Column.homes, index, index)
  }
}

export function typeOf(leaf: u32): u32 {
  return load<u8>(types + load<u8>(addressOf(Column.kinds) + leaf))
}

export function childStart(directory: u32): u32 {
  return directory === 0 ? 0 : at(Column.childEnds, directory - 1)
}

export function childEnd(directory: u32): u32 {
  return at(Column.childEnds, directory)
}
