/**
 * Whiteouts (OCI image spec, layer.md § Whiteouts): `.wh.NAME` hides NAME of lower layers, the opaque
 * marker hides all that lower layers put into a directory. Neither touches what the same layer adds,
 * whatever the order in the archive.
 */
import { SregistryError } from '../../errors/sregistry-error.ts'
import { DirectoryNode, directoriesFrom, layerOf, type NamedNode } from './node.ts'

export const whiteoutPrefix = '.wh.'
/** AUFS's own bookkeeping lives under names with the prefix twice. */
export const aufsPrefix = '.wh..wh.'
export const opaqueMarker = '.wh..wh..opq'

/**
 * The name that a whiteout entry hides, or undefined for any other entry.
 * @throws {SregistryError} LAYER_INVALID for `.wh.`, `.wh..` and `.wh...`, which hide nothing nameable.
 */
export function whiteoutTarget(name: string): string | undefined {
  if (!name.startsWith(whiteoutPrefix)) return undefined
  const target = name.slice(whiteoutPrefix.length)
  if (target === '' || target === '.' || target === '..') {
    throw new SregistryError('LAYER_INVALID', `the whiteout "${name}" names nothing`)
  }
  return target
}

/** On whose behalf names are hidden. */
export type Hider = { readonly layer: number }

/** Hides what layers below the hider's have under a name. */
export function hideName(parent: DirectoryNode, name: string, hider: Hider): void {
  const node = parent.names.get(name)
  if (node === undefined) return
  if (node instanceof DirectoryNode) hideLowerNames(node, hider)
  hideNode(parent, name, node, hider)
}

/** Empties a directory of everything that layers below the hider's put into it, at any depth. */
export function hideLowerNames(top: DirectoryNode, hider: Hider): void {
  // bottom up: what a directory still holds decides whether it goes
  for (const directory of directoriesFrom(top).reverse()) {
    for (const [name, node] of directory.names) hideNode(directory, name, node, hider)
  }
}

function hideNode(parent: DirectoryNode, name: string, node: NamedNode, hider: Hider): void {
  if (layerOf(node, parent.leaves) >= hider.layer) return
  // what is left in a lower directory was added by this layer, which then only implies the directory
  if (node instanceof DirectoryNode && node.names.size > 0) node.describe(undefined, hider.layer)
  else parent.names.delete(name)
}
