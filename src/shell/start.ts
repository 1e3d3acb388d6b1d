/** The shell's front door: a prompt in a terminal, a script from anything else. */
import { homedir } from 'node:os'
import type { TerminalOutput } from './screen.ts'
import type { ShellOptions } from './shell-options.ts'

/**
 * Runs until the user leaves or the scripts end.
 * @returns The exit code: 0 done, 1 a failure, 2 wrong flags, 130 interrupted.
 */
export async function startShell(options: ShellOptions): Promise<number> {
  const { flags, stdin, stdout } = options
  endQuietlyOnClosedPipe(stdout)
  const hasScripts = (flags.code?.length ?? 0) + (flags.files?.length ?? 0) > 0
  if (hasScripts || stdin.isTTY !== true || stdout.isTTY !== true) {
    const { runScripts } = await import('./run-scripts.ts')
    if (flags.stay !== true || stdin.isTTY !== true) return runScripts(options)
  }
  const { runPrompt } = await import('./prompt.ts')
  return runPrompt(options, homeOf(options))
}

function homeOf(options: ShellOptions): string {
  return options.home ?? options.env['HOME'] ?? homedir()
}

/** `… | head -1` closes our stdout; that is no fault, and nobody is left to tell. */
function endQuietlyOnClosedPipe(stdout: TerminalOutput): void {
  stdout.off('error', onOutputError) // several shells may start in a process, one after the other
  stdout.on('error', onOutputError)
}

function onOutputError(error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE') process.exit(0)
  throw error
}
