/** Where the user's own start-up file lies, and whether it may be run. */
import { type Stats, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Environment } from './history.ts'

export type RcFile =
  | { readonly kind: 'none' }
  /** `text` says why it is not run. */
  | { readonly kind: 'refused'; readonly text: string }
  | { readonly kind: 'found'; readonly path: string }

const groupAndOthersWrite = 0o022

/** `$SREGISTRY_RC` (empty: none), else the XDG config directory's `sregistry/rc.js`. */
export function findRcFile(env: Environment, home: string): RcFile {
  const own = env['SREGISTRY_RC']
  if (own === '') return { kind: 'none' }
  const directory = join(env['XDG_CONFIG_HOME'] || join(home, '.config'), 'sregistry')
  const path = own ?? join(directory, 'rc.js')
  const stats = fileStats(path)
  if (stats === undefined) {
    const isMisnamed = own === undefined && fileStats(join(directory, 'rc')) !== undefined
    const text = `${join(directory, 'rc')} is not read: its name must be rc.js`
    return isMisnamed ? { kind: 'refused', text } : { kind: 'none' }
  }
  if ((stats.mode & groupAndOthersWrite) !== 0) {
    return { kind: 'refused', text: `${path} is not run: others may write to it (chmod go-w)` }
  }
  return { kind: 'found', path }
}

function fileStats(path: string): Stats | undefined {
  return statSync(path, { throwIfNoEntry: false })
}
