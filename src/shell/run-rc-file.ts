import { readFile } from 'node:fs/promises'
import type { CommandContext } from './command-context.ts'

/** Runs the start-up file. A fault is shown as `rc.js:3: …` and ends the file, not the shell. */
export async function runRcFile(context: CommandContext, path: string): Promise<void> {
  await context.runScript(await readFile(path, 'utf8'), { label: 'rc.js', filename: path })
}
