/** The shells that images have as /bin/sh, and running scripts with them. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { hasTool } from '../../fakes/tools.ts'

export type Shell = {
  readonly name: string
  readonly missing: boolean
  readonly argv: readonly string[]
}

export const dash: Shell = { name: 'dash', missing: !hasTool('dash'), argv: ['dash'] }

/** bash as an image has it: under the name sh it follows POSIX more closely. */
export const shells: readonly Shell[] = [
  dash,
  { name: 'bash', missing: !hasTool('bash'), argv: ['bash', '--posix'] },
  { name: 'busybox', missing: !hasTool('busybox'), argv: ['busybox', 'sh'] },
]

/** A directory for one test; `remove` takes it away. */
export type Workplace = { readonly path: string; readonly remove: () => void }

export function makeWorkplace(): Workplace {
  const path = mkdtempSync(join(tmpdir(), 'sregistry-metadata-'))
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) }
}

/** Runs a script text, in the workplace, and returns what it wrote. */
export function runScript(
  shell: Shell,
  workplace: Workplace,
  script: string,
  options: { args?: readonly string[]; env?: Record<string, string> } = {},
): { readonly stdout: Buffer; readonly stderr: string; readonly status: number | null } {
  const file = join(workplace.path, 'script.sh')
  writeFileSync(file, script)
  const [program = '', ...before] = shell.argv
  const { stdout, stderr, status } = spawnSync(
    program,
    [...before, file, ...(options.args ?? [])],
    {
      cwd: workplace.path,
      env: { PATH: '/usr/bin:/bin', ...options.env },
      maxBuffer: 1 << 28,
    },
  )
  return { stdout, stderr: stderr.toString(), status }
}

/** Splits what `printf '%s\0'` printed. */
export function nulSeparated(bytes: Buffer): readonly string[] {
  return bytes.toString().split('\0').slice(0, -1)
}
