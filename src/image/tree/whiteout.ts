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

/** Hides what layers below this one have under a name. */
export function hideName(parent: DirectoryNode, name: string, layer: number): void {
  const node = parent.names.get(name)
  if (node === undefined) return
  if (node instanceof DirectoryNode) hideLowerNames(node, layer)
  hideNode(parent, name, node, layer)
}

/** Empties a directory of everything that layers below this one put into it, at any depth. */
export function hideLowerNames(top: DirectoryNode, layer: number): void {
  // bottom up: what a directory still holds decides whether it goes
  for (const directory of directoriesFrom(top).reverse()) {
    for (const [name, node] of directory.names) hideNode(directory, name, node, layer)
  }
}

function hideNode(parent: DirectoryNode, name: string, node: NamedNode, layer: number): void {
  if (layerOf(node, parent.leaves) >= layer) return
  // what is left in a lower directory was added by this layer, which then only implies the directory
  if (node instanceof DirectoryNode && node.names.size > 0) node.describe(undefined, layer)
  else parent.names.delete(name)
}
