/** Apptainer's two habits, on demand: everything owned by root, everything readable by its owner. */
import { type DirectoryNode, everyInode } from './node.ts'

export type Ownership = {
  /** Give everything to root, as `apptainer pull` does without root; default: owners as in the layers. */
  readonly allRoot?: boolean
  /** Directories u+rwx, files u+rw, no setuid, setgid or sticky bits, as `--fix-perms` does. */
  readonly fixPermissions?: boolean
}

const specialBits = 0o7000

export function setOwnership(root: DirectoryNode, { allRoot, fixPermissions }: Ownership): void {
  if (!allRoot && !fixPermissions) return
  for (const inode of everyInode(root)) {
    if (allRoot) {
      inode.uid = 0
      inode.gid = 0
    }
    if (!fixPermissions) continue
    if (inode.kind === 'directory') inode.mode = (inode.mode & ~specialBits) | 0o700
    if (inode.kind === 'file') inode.mode = (inode.mode & ~specialBits) | 0o600
  }
}
