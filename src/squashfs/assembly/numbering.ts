/** Walks the tree without recursion (a depth of thousands is legal): links are counted, every inode is numbered. */
import { at } from '../../assembly/columns'
import { reserve } from '../../assembly/memory'
import { reserveNames, sortChildren } from './names'
import { Column, childEnd, childStart, directoryCount, isDirectory, leafCount } from './tree'

/** Of leaves and directories: how many names, and 1 to the number of inodes. */
let leafLinks: usize = 0
let leafNumbers: usize = 0
let directoryLinks: usize = 0
let directoryNumbers: usize = 0
let parents: usize = 0
/** Every directory after all of its subdirectories: from the end, filled by the walk. */
let order: usize = 0
let walked: u32 = 0
/** Directories that the walk has met and not entered. */
let waiting: usize = 0
let waitingCount: u32 = 0

/** Of all inodes, the root's number too. */
export let inodeCount: u32 = 0

export function beginNumbering(): void {
  reserveNames()
  leafLinks = reserve(4 * <u64>leafCount)
  leafNumbers = reserve(4 * <u64>leafCount)
  directoryLinks = reserve(4 * <u64>directoryCount)
  directoryNumbers = reserve(4 * <u64>directoryCount)
  parents = reserve(4 * <u64>directoryCount)
  order = reserve(4 * <u64>directoryCount)
  waiting = reserve(4 * <u64>directoryCount)
  waitingCount = 1
  store<u32>(directoryLinks, 2)
}

/** Enters that many directories. @returns whether it has been in all, and all inodes are numbered. */
export function number(most: u32): bool {
  for (let count: u32 = 0; count < most && waitingCount > 0; count += 1) {
    waitingCount -= 1
    enter(load<u32>(waiting + 4 * waitingCount))
  }
  if (waitingCount > 0) return false
  numberInodes()
  return true
}

/** The last child is entered first, so the reverse is: children first, in the order of their names. */
function enter(directory: u32): void {
  walked += 1
  store<u32>(order + 4 * (directoryCount - walked), directory)
  sortChildren(directory)
  const end = childEnd(directory)
  for (let child = childStart(directory); child < end; child += 1) {
    const value = at(Column.children, child)
    if (value & isDirectory) {
      const subdirectory = value & ~isDirectory
      store<u32>(parents + 4 * subdirectory, directory)
      store<u32>(directoryLinks + 4 * subdirectory, linksOfDirectory(subdirectory) + 2)
      // its `..` is a name of its parent
      store<u32>(directoryLinks + 4 * directory, linksOfDirectory(directory) + 1)
      store<u32>(waiting + 4 * waitingCount, subdirectory)
      waitingCount += 1
    } else {
      const inode = at(Column.inodes, value)
      store<u32>(leafLinks + 4 * inode, linksOfLeaf(inode) + 1)
    }
  }
}

/** The inodes of one directory get neighbouring numbers, which keeps differences in its listing small; the root the last. */
function numberInodes(): void {
  let last: u32 = 0
  for (let index: u32 = 0; index < directoryCount; index += 1) {
    const directory = directoryAt(index)
    const end = childEnd(directory)
    for (let child = childStart(directory); child < end; child += 1) {
      const value = at(Column.children, child)
      const place =
        value & isDirectory
          ? directoryNumbers + 4 * (value & ~isDirectory)
          : leafNumbers + 4 * at(Column.inodes, value)
      if (load<u32>(place) !== 0) continue
      last += 1
      store<u32>(place, last)
    }
  }
  inodeCount = last + 1
  store<u32>(directoryNumbers, inodeCount)
}

/** In the order in which they are written, the root last. */
export function directoryAt(index: u32): u32 {
  return load<u32>(order + 4 * index)
}

export function linksOfLeaf(inode: u32): u32 {
  return load<u32>(leafLinks + 4 * inode)
}

export function linksOfDirectory(directory: u32): u32 {
  return load<u32>(directoryLinks + 4 * directory)
}

export function numberOfLeaf(inode: u32): u32 {
  return load<u32>(leafNumbers + 4 * inode)
}

export function numberOfDirectory(directory: u32): u32 {
  return load<u32>(directoryNumbers + 4 * directory)
}

/** Of the directory that holds it; for the root one more than the last number. */
export function parentNumber(directory: u32): u32 {
  return directory === 0 ? inodeCount + 1 : numberOfDirectory(load<u32>(parents + 4 * directory))
}
