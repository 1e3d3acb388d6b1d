import { readFile } from 'node:fs/promises'
import type { CommandContext } from './command-context.ts'

/**
 * Runs the start-up file. Its values are not shown, only what it prints. A fault is shown as `rc.js:3: …`
 * and ends the file, not the shell.
 */
export async function runRcFile(context: CommandContext, path: string): Promise<void> {
  const text = await readFile(path, 'utf8')
  const { modes } = context.session.output
  modes.quiet = true
  try {
    await context.runScript(text, { label: 'rc.js', filename: path })
  } finally {
    modes.quiet = false // as at every prompt
  }
}
