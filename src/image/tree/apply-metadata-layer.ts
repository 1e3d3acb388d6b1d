/** Applies the metadata layer: most of its entries only fill gaps (metadata/metadata-rules.ts). */
import { type MetadataRule, metadataRule } from '../metadata/metadata-rules.ts'
import type { PackedEntries } from '../packed-entries.ts'
import { type LayerApplication, LayerApplier } from './apply-layer.ts'
import type { ImageTree } from './node.ts'
import { findInode, followToInode } from './path-walk.ts'

/** Applies each entry of the metadata layer that its rule lets in, in their order. */
export function applyMetadataLayer(
  tree: ImageTree,
  entries: PackedEntries,
  application: LayerApplication,
): void {
  const applier = new LayerApplier(tree, entries, application)
  for (let index = 0; index < entries.length; index += 1) {
    // each is judged after the ones before it have been applied
    const path = entries.pathOf(index)
    if (isAdmitted(tree, path, metadataRule(path))) applier.apply(index)
  }
}

function isAdmitted({ root, leaves }: ImageTree, path: string, rule: MetadataRule): boolean {
  const existing = findInode(root, path)
  if (existing === undefined) return true
  const isSymlink = typeof existing === 'number' && leaves.kindOf(existing) === 'symlink'
  switch (rule) {
    case 'replace':
    case 'own-directory':
      return true
    case 'if-absent':
      return false
    case 'if-absent-or-symlink':
      return isSymlink
    case 'if-absent-or-dangling':
      return isSymlink && followToInode(root, path) === undefined
  }
}
