/** Programs that take the terminal over for a while: `!cmd` and the editor. */
import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { constants, tmpdir } from 'node:os'
import { join } from 'node:path'
import { SregistryError } from '../errors/sregistry-error.ts'

export type SubprocessOptions = {
  readonly env: { readonly [name: string]: string | undefined }
  readonly signal?: AbortSignal
}

/**
 * Runs a line in the user's shell, with our own terminal.
 * @returns Its exit code; 128 and the signal's number when a signal ended it.
 * @throws {SregistryError} STORAGE when it could not be started.
 */
export function runInShell(line: string, options: SubprocessOptions): Promise<number> {
  const shell = options.env['SHELL'] || '/bin/sh'
  return new Promise((resolve, reject) => {
    // Ctrl-C reaches the program through the terminal; it is for it alone.
    const ignore = (): void => undefined
    process.on('SIGINT', ignore)
    const child = spawn(shell, ['-c', line], { stdio: 'inherit', env: { ...options.env } })
    const end = (): unknown => process.off('SIGINT', ignore)
    child.once('error', (cause) => {
      end()
      reject(new SregistryError('STORAGE', `${shell} could not be started`, { cause }))
    })
    child.once('exit', (code, signal) => {
      end()
      resolve(code ?? 128 + constants.signals[signal ?? 'SIGKILL'])
    })
  })
}

/**
 * @returns What the user left in the editor (`$VISUAL`, `$EDITOR`, `vi`).
 * @throws {SregistryError} STORAGE when the editor could not be started or ended with a failure.
 */
export async function editText(text: string, env: SubprocessOptions['env']): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'sregistry-edit-'))
  const path = join(directory, 'statement.js')
  try {
    await writeFile(path, text, { mode: 0o600 })
    const editor = env['VISUAL'] || env['EDITOR'] || 'vi'
    const code = await runInShell(`${editor} '${path}'`, { env: { ...env, SHELL: '/bin/sh' } })
    if (code !== 0) {
      throw new SregistryError('STORAGE', `${editor} ended with exit code ${code}`, {
        ...(code === 127 ? { hint: 'name one that is there: EDITOR=vi sregistry shell' } : {}),
      })
    }
    return await readFile(path, 'utf8')
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}
