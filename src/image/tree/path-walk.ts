/**
 * Finding directories in a root file system as a process inside it would: symlinks in the way are
 * followed, absolute targets start at the root, `..` stops there (FORMATS § 3.4, rule 2).
 */
import { SregistryError } from '../../errors/sregistry-error.ts'
import { DirectoryNode, type InodeNode } from './node.ts'

/** Linux follows 40 symlinks (path_resolution(7)). */
const maxSymlinkHops = 40

/**
 * The directory at a path, made where it is missing. Something else than a directory or a symlink in
 * the way is replaced, as unpacking would.
 * @param layer On whose behalf directories are made.
 * @throws {SregistryError} LAYER_INVALID after 40 symlinks.
 */
export function makeDirectories(root: DirectoryNode, path: string, layer: number): DirectoryNode {
  return walk(root, path, (parent, name) => {
    const made = new DirectoryNode(root.leaves, undefined, layer)
    parent.names.set(name, made)
    return made
  }) as DirectoryNode
}

/**
 * The directory at a path, or undefined where there is none.
 * @throws {SregistryError} LAYER_INVALID after 40 symlinks.
 */
export function findDirectory(root: DirectoryNode, path: string): DirectoryNode | undefined {
  return walk(root, path, () => undefined)
}

/** The inode at a path; a symlink as the last component is not followed. */
export function findInode(root: DirectoryNode, path: string): InodeNode | undefined {
  const { parent, name } = splitPath(path)
  if (name === '' || name === '.' || name === '..') return findDirectory(root, path)
  return findDirectory(root, parent)?.inode(name)
}

/** The inode that a path leads to through symlinks; undefined when it leads nowhere or in a loop. */
export function followToInode(root: DirectoryNode, path: string): InodeNode | undefined {
  let at = path
  for (let hops = 0; hops <= maxSymlinkHops; hops += 1) {
    const inode = findInode(root, at)
    const target = symlinkTarget(root, inode)
    if (target === undefined) return inode
    at = target.startsWith('/') ? target : `${splitPath(at).parent}/${target}`
  }
  return undefined
}

export function splitPath(path: string): { readonly parent: string; readonly name: string } {
  const slash = path.lastIndexOf('/')
  return { parent: slash < 0 ? '' : path.slice(0, slash), name: path.slice(slash + 1) }
}

type OnMissing = (parent: DirectoryNode, name: string) => DirectoryNode | undefined

function walk(root: DirectoryNode, path: string, onMissing: OnMissing): DirectoryNode | undefined {
  const state: WalkState = { root, path, stack: [root], pending: components(path), hops: 0 }
  for (let name = state.pending.pop(); name !== undefined; name = state.pending.pop()) {
    const directory = state.stack[state.stack.length - 1] ?? root
    if (name === '..') {
      if (state.stack.length > 1) state.stack.pop()
      continue
    }
    const inode = directory.inode(name)
    const target = symlinkTarget(root, inode)
    if (target !== undefined) {
      followSymlink(state, target)
      continue
    }
    const next = inode instanceof DirectoryNode ? inode : onMissing(directory, name)
    if (next === undefined) return undefined
    state.stack.push(next)
  }
  return state.stack[state.stack.length - 1]
}

/** Where a symlink leads; undefined for anything else. */
function symlinkTarget(
  { leaves }: DirectoryNode,
  inode: InodeNode | undefined,
): string | undefined {
  if (typeof inode !== 'number' || leaves.kindOf(inode) !== 'symlink') return undefined
  return leaves.targetOf(inode)
}

type WalkState = {
  readonly root: DirectoryNode
  readonly path: string
  /** The directories from the root to where the walk stands. */
  stack: DirectoryNode[]
  /** Components still to go, last one first. */
  readonly pending: string[]
  hops: number
}

function followSymlink(state: WalkState, target: string): void {
  state.hops += 1
  if (state.hops > maxSymlinkHops) throw symlinkLoop(state.path)
  if (target.startsWith('/')) state.stack = [state.root]
  state.pending.push(...components(target))
}

/** The components of a path, last one first. */
function components(path: string): string[] {
  return path
    .split('/')
    .filter((name) => name !== '' && name !== '.')
    .reverse()
}

function symlinkLoop(path: string): SregistryError {
  const shown = Buffer.from(path, 'latin1').toString()
  return new SregistryError(
    'LAYER_INVALID',
    `too many symlinks on the way to ${JSON.stringify(shown)}`,
  )
}
