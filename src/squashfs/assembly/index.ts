/**
 * The inode and the directory table of one tree. An instance encodes one: `reserveTree`, then the columns are
 * filled by JavaScript, `addPart` for each of their parts, `begin`, and `number` and `write` until they are done.
 */
import { at } from '../../assembly/columns'
import { beginInodes, inodes, writeDirectory, writeLeaf } from './inodes'
import { directories, referenceOf, reserveListings, setReference, writeListing } from './listings'
import { lookAt } from './names'
import { beginNumbering, directoryAt, number as numberSome } from './numbering'
import { Column, childEnd, childStart, directoryCount, isDirectory, text, types } from './tree'

export { addressOf } from '../../assembly/columns'
export { lastChild, lastDirectory, nameLength, nameStart } from './names'
export { inodeCount } from './numbering'
export { addPart, reserveTree } from './tree'

/** In the order in which they are written. */
let writtenDirectories: u32 = 0
let rootInode: u64 = 0

export function textStart(): usize {
  return text
}

/** Where the types of inodes are told, by the numbers of their kinds. */
export function typesStart(): usize {
  return types
}

export function begin(blockSize: u32): void {
  beginInodes(blockSize)
  beginNumbering()
}

/** @param most How many directories. @returns whether all are numbered. */
export function number(most: u32): bool {
  if (!numberSome(most)) return false
  reserveListings()
  return true
}

/**
 * For each directory, subdirectories first: the inodes of its entries, then its listing, which holds their
 * references. The root's inode is the last.
 * @returns whether all are written.
 */
export function write(most: u32): bool {
  for (let count: u32 = 0; count < most && writtenDirectories < directoryCount; count += 1) {
    writeEntries(directoryAt(writtenDirectories))
    writtenDirectories += 1
  }
  if (writtenDirectories < directoryCount) return false
  lookAt(u32.MAX_VALUE, 0)
  rootInode = writeDirectory(0)
  directories.finish()
  inodes.finish()
  return true
}

function writeEntries(directory: u32): void {
  const end = childEnd(directory)
  for (let child = childStart(directory); child < end; child += 1) {
    const value = at(Column.children, child)
    if (referenceOf(value) !== 0) continue
    lookAt(directory, child)
    setReference(
      value,
      value & isDirectory
        ? writeDirectory(value & ~isDirectory)
        : writeLeaf(at(Column.inodes, value)),
    )
  }
  writeListing(directory)
}

/** Number of the metadata block of the root's inode, and where in it that lies. */
export function rootBlock(): u32 {
  return <u32>(rootInode >> 16)
}

export function rootOffset(): u32 {
  return <u32>(rootInode & 0xffff)
}
