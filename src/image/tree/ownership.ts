/** Apptainer's two habits, on demand: everything owned by root, everything readable by its owner. */
import type { PackedEntries } from '../packed-entries.ts'

export type Ownership = {
  /** Give everything to root, as `apptainer pull` does without root; default: owners as in the layers. */
  readonly allRoot?: boolean
  /** Directories u+rwx, files u+rw, no setuid, setgid or sticky bits, as `--fix-perms` does. */
  readonly fixPermissions?: boolean
}

const specialBits = 0o7000

/** Changes what the entries say of themselves, before they are applied. */
export function setOwnership(entries: PackedEntries, { allRoot, fixPermissions }: Ownership): void {
  const { modes, uids, gids } = entries.columns
  if (allRoot) {
    uids.fill(0)
    gids.fill(0)
  }
  if (!fixPermissions) return
  for (let index = 0; index < entries.length; index += 1) {
    const kind = entries.kindOf(index)
    const mode = (modes[index] ?? 0) & ~specialBits
    if (kind === 'directory') modes[index] = mode | 0o700
    if (kind === 'file') modes[index] = mode | 0o600
  }
}
