/** The directories of a tree as a list, and what is in them as numbers: the form in which WebAssembly takes them. */
import { SregistryError } from '../errors/sregistry-error.ts'
import type { SourceDirectory } from './tree-source.ts'

/** The directories of a tree, each before those in it, the root first, and what is in them. */
export type FlatTree = {
  readonly list: readonly FlatDirectory[]
  /** Of all directories, one after the other: a leaf, or `childIsDirectory` and the place of a directory in the list. */
  readonly children: Uint32Array
  /** Where the children of each directory end. */
  readonly childEnds: Uint32Array
  /** Bytes of the directories' names together. */
  readonly nameBytes: number
}

export type FlatDirectory = {
  readonly directory: SourceDirectory
  readonly name: string
  /** Its place in the list. */
  readonly parent: number
}

/** Set in a child that is a directory. */
export const childIsDirectory = 0x8000_0000

/**
 * Walks a tree without recursion: a depth of thousands is legal.
 * @throws {SregistryError} INTERNAL for a directory that is in the tree twice.
 */
export function flattenTree(root: SourceDirectory): FlatTree {
  const walk = new DirectoryWalk(root)
  return {
    list: walk.list,
    children: Uint32Array.from(walk.children),
    childEnds: Uint32Array.from(walk.childEnds),
    nameBytes: walk.nameBytes,
  }
}

class DirectoryWalk {
  readonly list: FlatDirectory[] = []
  readonly children: number[] = []
  readonly childEnds: number[] = []
  nameBytes = 0
  private readonly met = new Set<SourceDirectory>()

  constructor(root: SourceDirectory) {
    this.add(root, '', 0)
    for (let number = 0; number < this.list.length; number += 1) this.enter(number)
  }

  private enter(number: number): void {
    const { children } = this
    const names = this.list[number]?.directory.names ?? new Map()
    for (const name of names.keys()) {
      const node = names.get(name)
      children.push(typeof node === 'number' ? node : this.add(node, name, number))
    }
    this.childEnds.push(children.length)
  }

  /** @returns what it is as a child. */
  private add(directory: SourceDirectory, name: string, parent: number): number {
    if (this.met.has(directory)) {
      throw new SregistryError(
        'INTERNAL',
        `the directory ${JSON.stringify(name)} has another place`,
      )
    }
    this.met.add(directory)
    this.nameBytes += name.length
    return childIsDirectory + this.list.push({ directory, name, parent }) - 1
  }
}
