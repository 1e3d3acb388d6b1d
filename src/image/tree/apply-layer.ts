/**
 * Applies the entries of one packed layer to a root file system, in their order, as unpacking them
 * into it would (OCI image spec, layer.md § Applying Changesets; FORMATS § 3.4).
 */
import { SregistryError } from '../../errors/sregistry-error.ts'
import type { InodeMetadata } from '../../squashfs/inode.ts'
import type { IndexedEntry } from '../packed-entries.ts'
import { DirectoryNode, FileNode, type InodeNode, inodeOf, type NamedNode } from './node.ts'
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
  /** Metadata of parents that no entry describes. */
  readonly implied: InodeMetadata
  /** What people should hear about, such as overlay whiteouts in an OCI layer. */
  readonly onNote?: (text: string) => void
}

/** @throws {SregistryError} LAYER_INVALID for entries that no root file system can hold. */
export function applyLayer(
  root: DirectoryNode,
  entries: Iterable<IndexedEntry>,
  application: LayerApplication,
): void {
  const steps = layerSteps(root, entries, application)
  while (!steps.next().done);
}

/** As applyLayer, in steps of some milliseconds, between which others may have their turn. */
export function* layerSteps(
  root: DirectoryNode,
  entries: Iterable<IndexedEntry>,
  application: LayerApplication,
): Generator<void, void> {
  const applier = new LayerApplier(root, application)
  let left = entriesOfStep
  for (const entry of entries) {
    applier.apply(entry)
    left -= 1
    if (left > 0) continue
    left = entriesOfStep
    yield
  }
}

const entriesOfStep = 1000

class LayerApplier {
  private readonly aufsLinks = new Map<string, InodeNode>()
  private readonly root: DirectoryNode
  private readonly application: LayerApplication
  /** The parent of the last entry: archives list a directory's entries one after the other. */
  private lastParent: { readonly path: string; readonly directory: DirectoryNode } | undefined

  constructor(root: DirectoryNode, application: LayerApplication) {
    this.root = root
    this.application = application
  }

  apply(entry: IndexedEntry): void {
    const { path } = entry
    if (path === '') {
      this.applyRoot(entry)
      return
    }
    const slash = path.lastIndexOf('/')
    const name = path.slice(slash + 1)
    const { lastParent } = this
    const isBeside = lastParent?.path.length === slash && path.startsWith(lastParent.path)
    // nothing on the way to it has changed, and it was found fit to have entries
    if (isBeside && !name.startsWith(whiteoutPrefix)) {
      this.placeOrHide(lastParent.directory, name, entry)
    } else {
      this.applyBelow(slash < 0 ? '' : path.slice(0, slash), name, entry)
    }
  }

  private applyBelow(parent: string, name: string, entry: IndexedEntry): void {
    this.lastParent = undefined
    if (name === opaqueMarker) hideLowerNames(this.directory(parent), this.application)
    else if (isAufsBookkeeping(entry.path)) this.keepAufsLink(entry)
    else this.applyNamed(parent, name, entry)
  }

  private applyNamed(parent: string, name: string, entry: IndexedEntry): void {
    refuseWhiteoutDirectories(parent)
    const directory = this.directory(parent)
    const hidden = whiteoutTarget(name)
    if (hidden !== undefined) {
      hideName(directory, hidden, this.application)
      return
    }
    if (parent !== '') this.lastParent = { path: parent, directory }
    this.placeOrHide(directory, name, entry)
  }

  private placeOrHide(directory: DirectoryNode, name: string, entry: IndexedEntry): void {
    if (isOverlayWhiteout(entry)) this.applyOverlayWhiteout(directory, name)
    else this.place(directory, name, entry)
  }

  private directory(path: string): DirectoryNode {
    return makeDirectories(this.root, path, this.application)
  }

  private applyRoot(entry: IndexedEntry): void {
    if (entry.kind !== 'directory') {
      throw new SregistryError('LAYER_INVALID', `the root of the image is a ${entry.kind}`)
    }
    this.root.describe(entry, this.application.layer)
  }

  private applyOverlayWhiteout(directory: DirectoryNode, name: string): void {
    this.application.onNote?.('a character device 0:0 in a layer was taken as a whiteout')
    this.lastParent = undefined
    hideName(directory, name, this.application)
  }

  private keepAufsLink(entry: IndexedEntry): void {
    if (entry.kind === 'file' && entry.path.startsWith(aufsLinkDirectory)) {
      this.aufsLinks.set(entry.path, new FileNode(entry, this.application.layer, entry.content))
    }
  }

  private place(directory: DirectoryNode, name: string, entry: IndexedEntry): void {
    const existing = directory.names.get(name)
    if (entry.kind === 'directory' && existing instanceof DirectoryNode) {
      existing.describe(entry, this.application.layer)
      return
    }
    directory.names.set(name, this.nodeOf(entry))
    // what was replaced may have been on the way to the last parent; a new name cannot be
    if (existing !== undefined) this.lastParent = undefined
  }

  private nodeOf(entry: IndexedEntry): NamedNode {
    const { layer } = this.application
    const { kind, mode, uid, gid, mtime, xattrs } = entry
    const hasLinks = false
    switch (kind) {
      case 'directory':
        return new DirectoryNode(entry, layer)
      case 'file':
        return new FileNode(entry, layer, entry.content)
      case 'hardlink':
        return this.linkTo(this.linkedInode(entry.path, entry.target))
      case 'symlink': {
        // archives say anything; on Linux every symlink is 0777
        const target = entry.target
        return { kind, mode: 0o777, uid, gid, mtime, xattrs, hasLinks, layer, target }
      }
      case 'fifo':
        return { kind, mode, uid, gid, mtime, xattrs, hasLinks, layer }
      default: {
        const { major, minor } = entry
        return { kind, mode, uid, gid, mtime, xattrs, hasLinks, layer, major, minor }
      }
    }
  }

  private linkTo(inode: InodeNode): NamedNode {
    inode.hasLinks = true
    return { kind: 'link', layer: this.application.layer, inode }
  }

  private linkedInode(path: string, target: string): InodeNode {
    const inode = this.aufsLinks.get(target) ?? inodeOf(findInode(this.root, target))
    if (inode === undefined || inode.kind === 'directory') {
      const why = inode === undefined ? 'which does not exist' : 'which is a directory'
      throw new SregistryError(
        'LAYER_INVALID',
        `${shown(path)} is a hard link to ${shown(target)}, ${why}`,
      )
    }
    return inode
  }
}

function isAufsBookkeeping(path: string): boolean {
  return path.startsWith(aufsPrefix) || path.includes(`/${aufsPrefix}`)
}

function isOverlayWhiteout(entry: IndexedEntry): boolean {
  return entry.kind === 'char-device' && entry.major === 0 && entry.minor === 0
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
