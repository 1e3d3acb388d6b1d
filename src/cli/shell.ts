/** `sregistry shell`: the interactive shell, and scripts of it. */
import type { Command } from 'commander'
import { clientNames } from '../client/client-name.ts'
import { Container } from '../client/container.ts'
import { Questions } from '../shell/questions.ts'
import { startShell } from '../shell/start.ts'
import { removeOpenTemporaries, removeOpenWork } from '../storage/unfinished-work.ts'
import type { GlobalFlags, Session } from './session.ts'
import { ShellClients } from './shell-clients.ts'

/** As commander parses the flags. */
type ShellCommandFlags = {
  readonly eval?: string[]
  readonly check?: boolean
  readonly keepGoing?: boolean
  readonly stay?: boolean
  readonly norc?: boolean
}

export function addShellCommand(program: Command, session: Session): void {
  program
    .command('shell')
    .description('the interactive shell; with -e, a file or piped input it runs a script')
    .argument('[client-or-file...]', 'the client to begin with, or scripts to run (- is stdin)')
    .option(
      '-e, --eval <code>',
      'run this code; may be given again',
      (code, all: string[] = []) => [...all, code],
    )
    .option(
      '--check',
      'compare saved sessions with what happens now; each runs with an empty storage of its own, and on ' +
        'a local ECR if it says `needs: local-ecr`',
    )
    .option('--keep-going', 'go on after a failure')
    .option('--stay', 'open the prompt after the scripts')
    .option('--norc', 'do not run the rc file')
    .action((names: string[], flags: ShellCommandFlags) =>
      session.run(() => runShell(session, names, flags)),
    )
}

/** Opens the shell on the client that names, flags and settings choose. */
export async function runShell(
  session: Session,
  names: readonly string[],
  flags: ShellCommandFlags,
): Promise<void> {
  const [first, ...rest] = names
  const named = clientNames.find((name) => name === first)
  const files = named === undefined ? names : rest
  session.ignoreSignals()
  const line = { named, files, flags }
  process.exitCode = await (flags.check === true
    ? checkFiles(session, line)
    : openShell(session, line))
}

async function checkFiles(session: Session, { named, files }: ShellLine): Promise<number> {
  const { checkSessions } = await import('../shell/check-session.ts')
  const { openCheckPlace } = await import('./check-place.ts')
  return checkSessions({
    files,
    stderr: process.stderr,
    flags: session.flags,
    globals: { Container },
    cleanUp: removeUnfinished,
    openPlace: (needs) =>
      openCheckPlace(session, { needs, client: named, questions: terminalQuestions() }),
  })
}

type ShellLine = {
  readonly named: string | undefined
  readonly files: readonly string[]
  readonly flags: ShellCommandFlags
}

async function openShell(session: Session, { named, files, flags }: ShellLine): Promise<number> {
  const questions = terminalQuestions()
  const clients = new ShellClients(session, questions)
  let isLeft = false
  let code = 0
  try {
    code = await startShell({
      client: clients.first(named),
      createClient: clients.create,
      questions,
      stdin: process.stdin,
      stdout: process.stdout,
      stderr: process.stderr,
      env: session.env,
      home: session.settings.home,
      flags: { ...session.flags, ...flags, code: flags.eval ?? [], files },
      globals: { Container },
      cleanUp: removeUnfinished,
      onLeft: () => {
        isLeft = true
      },
    })
  } finally {
    await clients.close()
  }
  // a timer of the user's would keep a terminal that hears nothing any more
  if (isLeft) process.exit(code)
  return code
}

function terminalQuestions(): Questions {
  const isTerminal = process.stdin.isTTY === true && process.stderr.isTTY === true
  return new Questions(isTerminal ? askOnTerminal : undefined)
}

/** For scripts that a terminal runs; readline is loaded for who is asked. */
async function askOnTerminal(question: string, signal: AbortSignal): Promise<string> {
  const { askLine } = await import('./ask.ts')
  return askLine(question, signal)
}

/**
 * The command lines that open a prompt, read without commander: it would be a third of the time to it.
 * @returns Undefined for every other command line.
 */
export function readPromptLine(args: readonly string[]): PromptLine | undefined {
  const [command, ...rest] = args
  if (command !== 'shell') return undefined
  const flags: { -readonly [name in keyof PromptFlags]: PromptFlags[name] } = {}
  const names: string[] = []
  for (const arg of rest) {
    const flag = promptFlags[arg]
    if (flag !== undefined) flags[flag] = true
    else if (clientNames.some((name) => name === arg) && names.length === 0) names.push(arg)
    else return undefined
  }
  return { names, flags }
}

type PromptFlags = Pick<ShellCommandFlags, 'norc'> & Pick<GlobalFlags, 'quiet' | 'json' | 'debug'>
type PromptLine = { readonly names: readonly string[]; readonly flags: PromptFlags }

const promptFlags: { readonly [flag: string]: keyof PromptFlags | undefined } = {
  '--norc': 'norc',
  '--quiet': 'quiet',
  '-q': 'quiet',
  '--json': 'json',
  '--debug': 'debug',
  '-d': 'debug',
}

function removeUnfinished(): void {
  removeOpenTemporaries()
  removeOpenWork()
}
