/**
 * How each path of the metadata layer meets what the image has there already. The layer is the last
 * one, but most of its entries only fill gaps: an image is changed where a runtime needs it, and
 * nowhere else (FORMATS § 5.1).
 */

/**
 * - `replace`: whatever is there goes, a directory with all that is in it; the entry takes its place.
 * - `own-directory`: a directory that is there keeps its children and takes the entry's metadata;
 *   anything else, a symlink too, is replaced by the directory.
 * - `if-absent`: the entry is placed only where nothing has that name. A symlink is something, also
 *   one that leads nowhere.
 * - `if-absent-or-dangling`: like `if-absent`, but a symlink that leads to nothing inside the image is
 *   replaced: the runtime binds a file over this path, and needs one there.
 * - `if-absent-or-symlink`: like `if-absent`, but a symlink that is there is replaced.
 */
export type MetadataRule =
  | 'replace'
  | 'own-directory'
  | 'if-absent'
  | 'if-absent-or-dangling'
  | 'if-absent-or-symlink'

/** Directories that are ours, in the order of the layer. */
export const ownDirectories: readonly string[] = [
  '.singularity.d',
  '.singularity.d/actions',
  '.singularity.d/env',
  '.singularity.d/libs',
]

/** Directories that the runtime mounts over or binds into. */
export const mountPoints: readonly string[] = [
  ...['dev', 'etc', 'home', 'proc', 'root', 'sys', 'tmp', 'var', 'var/tmp'],
]

/**
 * Files that the runtime binds or extends, and what they are where the image has none. Unlike
 * Apptainer's build, files that the image has are not emptied: the runtime hides them anyway, and
 * everything else that reads the image finds what its layers say.
 */
export const bindTargets: ReadonlyMap<string, string> = new Map([
  ['etc/group', 'root:x:0:\n'],
  ['etc/hosts', ''],
  ['etc/localtime', ''],
  ['etc/passwd', 'root:x:0:0:root:/root:/bin/sh\n'],
  ['etc/resolv.conf', ''],
])

/** Names in the root that Singularity 2.x and people know, and where they lead. */
export const rootSymlinks: ReadonlyMap<string, string> = new Map([
  ['.exec', '.singularity.d/actions/exec'],
  ['.run', '.singularity.d/actions/run'],
  ['.shell', '.singularity.d/actions/shell'],
  ['.test', '.singularity.d/actions/test'],
  ['environment', '.singularity.d/env/90-environment.sh'],
  ['singularity', '.singularity.d/runscript'],
])

const rules: ReadonlyMap<string, MetadataRule> = new Map([
  ...withRule(ownDirectories, 'own-directory'),
  ...withRule(mountPoints, 'if-absent'),
  ...withRule(bindTargets.keys(), 'if-absent-or-dangling'),
  ...withRule(rootSymlinks.keys(), 'if-absent-or-symlink'),
])

function withRule(paths: Iterable<string>, rule: MetadataRule): [string, MetadataRule][] {
  return [...paths].map((path) => [path, rule])
}

/**
 * The rule for an entry of the metadata layer.
 * @param path As in a packed layer: no leading or trailing slash.
 */
export function metadataRule(path: string): MetadataRule {
  return rules.get(path) ?? 'replace'
}
