/**
 * Applies the entries of one packed layer to a root file system, in their order, as unpacking them
 * into it would (OCI image spec, layer.md § Applying Changesets; FORMATS § 3.4).
 */
import { SregistryError } from '../../errors/sregistry-error.ts'
import type { PackedEntries } from '../packed-entries.ts'
import type { PackedEntry } from '../packed-layer.ts'
import { DirectoryNode, type ImageTree, type NamedNode } from './node.ts'
import { findInode, makeDirectories } from './path-walk.ts'
import {
  aufsPrefix,
  hideLowerNames,
  hideName,
  opaqueMarker,
  whiteoutPrefix,
  whiteoutTarget,
} from './whiteout.ts'

/** Hard-linked files of AUFS layers may have their only full entry here; it is not part of the image. */
const aufsLinkDirectory = '.wh..wh.plnk/'

export type LayerApplication = {
  /** Position of the layer, lowest first; decides what a whiteout hides. */
  readonly layer: number
  /** What people should hear about, such as overlay whiteouts in an OCI layer. */
  readonly onNote?: (text: string) => void
}

/**
 * Applies a layer, in steps of some milliseconds, between which others may have their turn.
 * @throws {SregistryError} LAYER_INVALID for entries that no root file system can hold.
 */
export function* layerSteps(
  tree: ImageTree,
  entries: PackedEntries,
  application: LayerApplication,
): Generator<void, void> {
  const applier = new LayerApplier(tree, entries, application)
  for (let index = 0; index < entries.length; index += 1) {
    applier.apply(index)
    if (index % entriesOfStep === entriesOfStep - 1) yield
  }
}

const entriesOfStep = 1000

/** Applies the entries of one layer, each by its number; they are counted on in the tree's leaves. */
export class LayerApplier {
  private readonly aufsLinks = new Map<string, number>()
  private readonly tree: ImageTree
  private readonly entries: PackedEntries
  private readonly application: LayerApplication
  /** Number of the first entry among the leaves of the tree. */
  private readonly firstLeaf: number
  /** Where paths lead while nothing on the way to them changes. */
  private readonly parents = new Map<string, DirectoryNode>()
  /** The parent of the last entry: archives list a directory's entries one after the other. */
  private lastParent: { readonly path: string; readonly directory: DirectoryNode } | undefined

  constructor(tree: ImageTree, entries: PackedEntries, application: LayerApplication) {
    this.tree = tree
    this.entries = entries
    this.application = application
    this.firstLeaf = tree.leaves.add(entries)
  }

  apply(index: number): void {
    const { lastParent } = this
    if (lastParent !== undefined) {
      // nothing on the way to it has changed, and it was found fit to have entries
      const name = this.entries.nameWithin(lastParent.path, index)
      if (name !== undefined && !name.startsWith(whiteoutPrefix)) {
        this.placeOrHide(lastParent.directory, name, index)
        return
      }
    }
    const path = this.entries.pathOf(index)
    if (path === '') this.applyRoot(index)
    else this.applyBelow(path, index)
  }

  private applyBelow(path: string, index: number): void {
    const slash = path.lastIndexOf('/')
    const name = path.slice(slash + 1)
    const parent = slash < 0 ? '' : path.slice(0, slash)
    if (name === opaqueMarker) {
      hideLowerNames(this.directory(parent), this.application.layer)
      this.forgetParents()
    } else if (isAufsBookkeeping(path)) this.keepAufsLink(path, index)
    else this.applyNamed(parent, name, index)
  }

  private applyNamed(parent: string, name: string, index: number): void {
    refuseWhiteoutDirectories(parent)
    const directory = this.directory(parent)
    const hidden = whiteoutTarget(name)
    if (hidden !== undefined) {
      hideName(directory, hidden, this.application.layer)
      this.forgetParents()
      return
    }
    if (parent !== '') this.lastParent = { path: parent, directory }
    this.placeOrHide(directory, name, index)
  }

  private placeOrHide(directory: DirectoryNode, name: string, index: number): void {
    const kind = this.entries.kindOf(index)
    if (kind === 'char-device' && this.isOverlayWhiteout(index)) {
      this.applyOverlayWhiteout(directory, name)
      return
    }
    const existing = directory.names.get(name)
    if (kind === 'directory' && existing instanceof DirectoryNode) {
      existing.describe(this.entries.metadataOf(index), this.application.layer)
      return
    }
    directory.names.set(name, this.nodeOf(kind, index))
    // what was replaced may have been on the way to a parent; a new name cannot be
    if (existing !== undefined) this.forgetParents()
  }

  private directory(path: string): DirectoryNode {
    const known = this.parents.get(path)
    if (known !== undefined) return known
    const directory = makeDirectories(this.tree.root, path, this.application.layer)
    this.parents.set(path, directory)
    return directory
  }

  private forgetParents(): void {
    this.parents.clear()
    this.lastParent = undefined
  }

  private applyRoot(index: number): void {
    const kind = this.entries.kindOf(index)
    if (kind !== 'directory') {
      throw new SregistryError('LAYER_INVALID', `the root of the image is a ${kind}`)
    }
    this.tree.root.describe(this.entries.metadataOf(index), this.application.layer)
  }

  private isOverlayWhiteout(index: number): boolean {
    const { major, minor } = this.entries.deviceOf(index)
    return major === 0 && minor === 0
  }

  private applyOverlayWhiteout(directory: DirectoryNode, name: string): void {
    this.application.onNote?.('a character device 0:0 in a layer was taken as a whiteout')
    hideName(directory, name, this.application.layer)
    this.forgetParents()
  }

  private keepAufsLink(path: string, index: number): void {
    if (this.entries.kindOf(index) === 'file' && path.startsWith(aufsLinkDirectory)) {
      this.aufsLinks.set(path, this.firstLeaf + index)
    }
  }

  private nodeOf(kind: PackedEntry['kind'], index: number): NamedNode {
    const leaf = this.firstLeaf + index
    if (kind === 'directory') {
      const metadata = this.entries.metadataOf(index)
      return new DirectoryNode(this.tree.leaves, metadata, this.application.layer)
    }
    if (kind === 'hardlink') this.tree.leaves.link(leaf, this.linkedInode(index))
    return leaf
  }

  private linkedInode(index: number): number {
    const target = this.entries.targetOf(index)
    const inode = this.aufsLinks.get(target) ?? findInode(this.tree.root, target)
    if (typeof inode === 'number') return inode
    const why = inode === undefined ? 'which does not exist' : 'which is a directory'
    throw new SregistryError(
      'LAYER_INVALID',
      `${shown(this.entries.pathOf(index))} is a hard link to ${shown(target)}, ${why}`,
    )
  }
}

function isAufsBookkeeping(path: string): boolean {
  return path.startsWith(aufsPrefix) || path.includes(`/${aufsPrefix}`)
}

function refuseWhiteoutDirectories(parent: string): void {
  if (parent.startsWith('.wh.') || parent.includes('/.wh.')) {
    throw new SregistryError(
      'LAYER_INVALID',
      `${shown(parent)} is a whiteout with entries below it`,
    )
  }
}

function shown(path: string): string {
  return JSON.stringify(Buffer.from(path, 'latin1').toString())
}
