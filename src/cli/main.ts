/** Where the program starts: parses the command line and runs one command. */
import type { Command, CommanderError } from 'commander'
import { SregistryError } from '../errors/sregistry-error.ts'
import { readPullLine } from './pull-line.ts'
import { Session } from './session.ts'

/**
 * Runs the command line; the process ends by itself, with its exit code set.
 * @param tuneEngine Called by commands that have much to do. Default: nothing is left to be set.
 */
export async function main(args: readonly string[], tuneEngine?: () => void): Promise<void> {
  const session = new Session(tuneEngine)
  // the prompt has listeners of its own
  if (await runPromptLine(session, args)) return
  session.listenToSignals()
  session.listenToBugs()
  if (await runPullLine(session, args)) return
  const { createProgram } = await import('./program.ts')
  const program = await createProgram(session, args)
  try {
    await program.parseAsync([...args], { from: 'user' })
  } catch (error) {
    if (!isCommanderError(error)) throw error
    await endParsing(session, error, { program, args })
  }
}

/** A shell's prompt: one of the two lines that are to be quick, so commander is not asked. */
async function runPromptLine(session: Session, args: readonly string[]): Promise<boolean> {
  if (args[0] !== 'shell') return false
  const { readPromptLine, runShell } = await import('./shell.ts')
  const prompt = readPromptLine(args)
  if (prompt === undefined) return false
  session.flags = prompt.flags
  await session.run(() => runShell(session, prompt.names, prompt.flags))
  return true
}

/** A pull without options: the other one. */
async function runPullLine(session: Session, args: readonly string[]): Promise<boolean> {
  const line = readPullLine(args)
  if (line === undefined) return false
  session.flags = line.flags
  const { pull } = await import('./pull.ts')
  await session.run(() => pull(session, line.references, { cache: true }))
  return true
}

type CommandLine = { readonly program: Command; readonly args: readonly string[] }

/** commander has printed help and version by now; everything else is wrong usage. */
async function endParsing(
  session: Session,
  error: CommanderError,
  line: CommandLine,
): Promise<void> {
  if (error.exitCode === 0) return session.run(async () => undefined)
  session.flags = { ...session.flags, json: line.args.includes('--json') }
  // no command at all: the help on stderr says it all
  if (error.code === 'commander.help' && !session.flags.json) process.exitCode = 2
  else await session.fail(usageError(error, line))
}

/** commander's sentence in our form; its suggestion of a near name becomes the hint. */
function usageError({ code, message }: CommanderError, line: CommandLine): SregistryError {
  const command = meantCommand(line)
  const help = `${command} --help shows what there is`
  if (code === 'commander.help') {
    return new SregistryError('USAGE', `${command} needs a command`, { hint: help })
  }
  const [what = '', suggestion = ''] = message.replace(/^error: /, '').split('\n')
  const near = /^\(Did you mean (.*)\?\)$/.exec(suggestion)?.[1]
  const hint = near === undefined ? help : `did you mean ${near}? ${help}`
  return new SregistryError('USAGE', what, { hint })
}

/** `sregistry`, and the commands that were understood. */
function meantCommand({ program, args }: CommandLine): string {
  const names = [program.name()]
  let command = program
  for (const arg of args.filter((one) => !one.startsWith('-'))) {
    const next = command.commands.find((one) => one.name() === arg)
    if (next === undefined) break
    names.push(arg)
    command = next
  }
  return names.join(' ')
}

function isCommanderError(error: unknown): error is CommanderError {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('commander.')
}
