/** Names of files and of modules for completion. */
import { readdir } from 'node:fs/promises'
import { builtinModules } from 'node:module'
import { homedir } from 'node:os'
import { basename, dirname, join } from 'node:path'

/** What begins with this path; directories end in `/`. */
export async function fileNames(prefix: string): Promise<readonly string[]> {
  const typed = prefix.endsWith('/') ? prefix.slice(0, -1) || '/' : dirname(prefix)
  const shown = prefix.slice(
    0,
    prefix.length - (prefix.endsWith('/') ? 0 : basename(prefix).length),
  )
  const directory = typed.startsWith('~') ? join(homedir(), typed.slice(1)) : typed
  const entries = await readdir(directory, { withFileTypes: true })
  return entries
    .filter((entry) => !entry.name.startsWith('.') || basename(prefix).startsWith('.'))
    .map((entry) => `${shown}${entry.name}${entry.isDirectory() ? '/' : ''}`)
}

/** Whether a text is meant as a path: `./x`, `../x`, `~/x`, `/x`. */
export function isPathLike(prefix: string): boolean {
  return /^(?:~|\.{0,2})\//.test(prefix)
}

/** What `require` and `import` take: Node's own modules, and files. */
export async function moduleNames(prefix: string): Promise<readonly string[]> {
  if (isPathLike(prefix)) return fileNames(prefix)
  const bare = builtinModules.filter((name) => !/^_|^node:/.test(name))
  if (!prefix.startsWith('node:')) return [...bare, 'node:']
  // some have no bare name; older Node does not list those
  const others = builtinModules.filter((name) => name.startsWith('node:'))
  return [...bare.map((name) => `node:${name}`), ...others, 'node:test']
}
