/** The tree as the tables want it: flat, sorted, with hard links counted and every inode numbered. */
import { SregistryError } from '../errors/sregistry-error.ts'
import type { DirectoryInode, Inode, NumberedLeaves } from './inode.ts'

/** A directory with its entries in byte order. */
export type NumberedDirectory = {
  readonly inode: DirectoryInode
  /** Of this directory in the tree's columns. */
  readonly index: number
  readonly name: string
  readonly parent: NumberedDirectory | undefined
  readonly names: readonly string[]
  /** Indexes of the entries' inodes, in the order of the names. */
  readonly children: Uint32Array
}

export type NumberedTree = {
  /** Every inode once, the root first. The columns below go with it. */
  readonly inodes: readonly InodeRecord[]
  /** Names of a file; for a directory 2 and one for each subdirectory, as mksquashfs counts. */
  readonly linkCounts: Uint32Array
  /**
   * 1 to the number of inodes, each used once. The inodes of one directory get neighbouring numbers,
   * which keeps the 16-bit differences in its listing small; the root gets the last number.
   */
  readonly numbers: Uint32Array
  /** Every directory after all of its subdirectories: the root is the last. */
  readonly directories: readonly NumberedDirectory[]
}

/** Itself, or its number among the leaves that the tree has as numbers. */
export type InodeRecord = Inode | number

/** One char per byte, neither slash nor zero, and neither of the two names that every directory has. */
const goodName = /^(?!\.{1,2}$)[^/\0\u0100-\uffff]{1,255}$/

/**
 * Walks a tree without recursion: a depth of thousands is legal. A step is one directory.
 * @throws {SregistryError} LIMIT_EXCEEDED for a name of more than 255 bytes; INTERNAL for a name that
 *   no directory can hold, a name given twice, or a directory that is in the tree twice.
 */
export function* numberTree(
  root: DirectoryInode,
  leaves: NumberedLeaves | undefined,
): Generator<void, NumberedTree> {
  const collector = new Collector(leaves)
  const directories: NumberedDirectory[] = []
  const waiting: Waiting[] = [
    { inode: root, index: collector.indexOf(root), name: '', parent: undefined },
  ]
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    directories.push(collector.collect(next, waiting))
    yield
  }
  // taken last child first, so the reverse is: children first, in byte order
  directories.reverse()
  const { inodes } = collector
  const linkCounts = Uint32Array.from(collector.linkCounts)
  return { inodes, linkCounts, numbers: numberInodes(inodes.length, directories), directories }
}

/** Where an entry is, for messages. */
export function pathOf(directory: NumberedDirectory, name: string): string {
  const names = [name]
  for (let one = directory; one.parent !== undefined; one = one.parent) names.push(one.name)
  return `/${Buffer.from(names.reverse().join('/'), 'latin1').toString()}`
}

type Waiting = Pick<NumberedDirectory, 'inode' | 'index' | 'name' | 'parent'>

class Collector {
  readonly inodes: InodeRecord[] = []
  readonly linkCounts: number[] = []
  private readonly leaves: NumberedLeaves | undefined
  /** Of what may come again. */
  private readonly indexes = new Map<InodeRecord, number>()

  constructor(leaves: NumberedLeaves | undefined) {
    this.leaves = leaves
  }

  indexOf(inode: InodeRecord): number {
    if (typeof inode === 'number' && this.leaves?.hasLinks(inode) === false) {
      this.linkCounts.push(0)
      return this.inodes.push(inode) - 1
    }
    const known = this.indexes.get(inode)
    if (known !== undefined) return known
    const index = this.inodes.push(inode) - 1
    this.linkCounts.push(isDirectory(inode) ? 2 : 0)
    this.indexes.set(inode, index)
    return index
  }

  collect(place: Waiting, waiting: Waiting[]): NumberedDirectory {
    // by code units, which are bytes here
    const names = place.inode.entryNames().sort()
    const children = new Uint32Array(names.length)
    const directory = { ...place, names, children }
    let position = 0
    for (const name of names) {
      checkName(directory, name, names[position - 1])
      const inode = place.inode.inode(name)
      if (inode === undefined) throw badName(directory, name, 'is no entry of its directory')
      const met = this.inodes.length
      const index = this.indexOf(inode)
      children[position++] = index
      if (!isDirectory(inode)) {
        this.countLink(index)
        continue
      }
      if (index < met) throw badName(directory, name, 'is a directory with another place')
      // a subdirectory's `..` is a name of its parent
      this.countLink(place.index)
      waiting.push({ inode, index, name, parent: directory })
    }
    return directory
  }

  private countLink(index: number): void {
    this.linkCounts[index] = (this.linkCounts[index] ?? 0) + 1
  }
}

function isDirectory(inode: InodeRecord): inode is DirectoryInode {
  return typeof inode !== 'number' && inode.kind === 'directory'
}

function checkName(directory: NumberedDirectory, name: string, previous?: string): void {
  if (name === previous) throw badName(directory, name, 'is given twice')
  if (goodName.test(name)) return
  if (name.length > 255) {
    throw new SregistryError(
      'LIMIT_EXCEEDED',
      `the name of ${pathOf(directory, name.slice(0, 80))}… has ${name.length} bytes`,
      { hint: 'file systems take names of at most 255 bytes; shorten it in the image' },
    )
  }
  throw badName(directory, name, 'is no name that a directory can hold')
}

function badName(directory: NumberedDirectory, name: string, what: string): SregistryError {
  return new SregistryError('INTERNAL', `${JSON.stringify(pathOf(directory, name))} ${what}`)
}

/** Numbers in the order in which the inodes are written. */
function numberInodes(count: number, directories: readonly NumberedDirectory[]): Uint32Array {
  const numbers = new Uint32Array(count)
  let last = 0
  for (const { children } of directories) {
    for (const child of children) if (numbers[child] === 0) numbers[child] = ++last
  }
  numbers[0] = ++last
  return numbers
}
