/** A directory for one test file, and the way to run compiled code of ours in a process of its own. */
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

export type Ended = {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

const dist = resolve(import.meta.dirname, '../../dist')

/** A fresh directory (0700) and how to remove it. */
export function scratchDirectory(): { path: string; remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), 'sregistry-test-'))
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) }
}

/** The URL of a compiled module, for `import` in the code of a child process. */
export function compiled(module: string): string {
  const path = join(dist, module)
  if (!existsSync(path)) throw new Error(`${path} is missing: run \`npm run build\` first`)
  return JSON.stringify(pathToFileURL(path).href)
}

/** Runs module code in a new Node process, under a wrapper such as `setpriv …` where one is given. */
export function runNode(
  code: string,
  options: { readonly wrapper?: readonly string[]; readonly env?: NodeJS.ProcessEnv } = {},
): Promise<Ended> {
  const words = [
    ...(options.wrapper ?? []),
    process.execPath,
    '--input-type=module',
    '--eval',
    code,
  ]
  const [program = process.execPath, ...args] = words
  const child = spawn(program, args, { env: { ...process.env, ...options.env } })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString()
  })
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString()
  })
  return new Promise((done, failed) => {
    child.on('error', failed)
    child.on('close', (exitCode, signal) => done({ code: exitCode, signal, stdout, stderr }))
  })
}
