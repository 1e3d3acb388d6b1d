/** Applies the metadata layer: most of its entries only fill gaps (metadata/metadata-rules.ts). */
import { type MetadataRule, metadataRule } from '../metadata/metadata-rules.ts'
import type { IndexedEntry } from '../packed-entries.ts'
import { applyLayer, type LayerApplication } from './apply-layer.ts'
import type { DirectoryNode } from './node.ts'
import { findInode, followToInode } from './path-walk.ts'

/** Applies each entry of the metadata layer that its rule lets in, in their order. */
export function applyMetadataLayer(
  root: DirectoryNode,
  entries: Iterable<IndexedEntry>,
  application: LayerApplication,
): void {
  applyLayer(root, admitted(root, entries), application)
}

/** Lazy on purpose: each entry is judged after the ones before it have been applied. */
function* admitted(root: DirectoryNode, entries: Iterable<IndexedEntry>): Generator<IndexedEntry> {
  for (const entry of entries) {
    if (isAdmitted(root, entry.path, metadataRule(entry.path))) yield entry
  }
}

function isAdmitted(root: DirectoryNode, path: string, rule: MetadataRule): boolean {
  const existing = findInode(root, path)
  if (existing === undefined) return true
  switch (rule) {
    case 'replace':
    case 'own-directory':
      return true
    case 'if-absent':
      return false
    case 'if-absent-or-symlink':
      return existing.kind === 'symlink'
    case 'if-absent-or-dangling':
      return existing.kind === 'symlink' && followToInode(root, path) === undefined
  }
}
