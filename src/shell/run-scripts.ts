/** Scripts from `-e`, files and pipes: no prompt, no banner, no history, no rc file. */
import { readFile } from 'node:fs/promises'
import { basename, resolve } from 'node:path'
import { SregistryError } from '../errors/sregistry-error.ts'
import { formatWarning, watchBackground } from './background-events.ts'
import type { CommandContext, ScriptResult } from './command-context.ts'
import { checkScriptName } from './foreign-script.ts'
import { defineGlobals, defineResults } from './globals.ts'
import { LineSource } from './line-source.ts'
import { ShellOutput } from './output.ts'
import { ownExitCode } from './own-exit-code.ts'
import { runLines, runScript, type ScriptOptions } from './script.ts'
import { Session } from './session.ts'
import { openClient } from './shell-client.ts'
import { outputModes, type ShellOptions } from './shell-options.ts'
import { runInput } from './statement-input.ts'

/** @returns The exit code. */
export async function runScripts(options: ShellOptions): Promise<number> {
  const { stdout, stderr, env, flags, createClient, cleanUp } = options
  const client = await openClient(options.client)
  const modes = outputModes(flags)
  const output = new ShellOutput({ stdout, stderr, env, bars: stderr, modes })
  const session = new Session({ client, createClient, output, now: Date.now, cleanUp })
  defineGlobals(session, options.globals ?? {})
  defineResults()
  const background = countFailures(session)
  const release = interruptBy(session)
  let place = ''
  process.on('beforeExit', onStuck)
  try {
    const context = scriptContext(session, options)
    const result = await runAll(context, options, (at) => {
      place = at
    })
    await session.calls.settled()
    await turnOfTheLoop() // an unhandled rejection is reported after the current turn
    const failures = result.failures + background.failures
    if (failures > 0 && flags.keepGoing === true) {
      output.notice(`${failures} statement${failures === 1 ? '' : 's'} failed`)
    }
    if (result.isCancelled) {
      options.onLeft?.() // what it gave up may hold the process: a timer, a socket
      return 130
    }
    return session.exitCode ?? (failures > 0 ? 1 : ownExitCode())
  } finally {
    release()
    process.off('beforeExit', onStuck)
  }

  /** Nothing is left that could end the wait: Node would exit with 0, what comes after it unread. */
  function onStuck(): void {
    output.notice(`${place}: waits for something that never comes`)
    process.exit(1)
  }
}

export function scriptContext(
  session: Session,
  options: Pick<ShellOptions, 'env'>,
): CommandContext {
  const context: CommandContext = {
    session,
    env: options.env,
    runStatement: (source) =>
      session.record(source.text, () => runInput({ session, env: options.env }, source)),
    runScript: (text, names) => runScript(context, text, names),
  }
  return context
}

async function runAll(
  context: CommandContext,
  options: ShellOptions,
  onStatement: (place: string) => void,
): Promise<ScriptResult> {
  const { flags, stdin } = options
  const keepGoing = flags.keepGoing === true
  const how = { keepGoing, onStatement }
  const runs: Array<() => Promise<ScriptResult>> = []
  for (const code of flags.code ?? []) {
    runs.push(() => runScript(context, code, { label: '-e', ...how }))
  }
  const files = flags.files ?? []
  const readsStdin = runs.length === 0 && files.length === 0
  for (const file of readsStdin ? ['-'] : files) {
    runs.push(() => runFile(context, file, stdin, how))
  }
  let failures = 0
  for (const run of runs) {
    const result = await run()
    failures += result.failures
    const isOver = result.isCancelled || context.session.exitCode !== undefined
    if (isOver || (failures > 0 && !keepGoing)) return { ...result, failures }
  }
  return { failures, isCancelled: false }
}

async function runFile(
  context: CommandContext,
  file: string,
  stdin: ShellOptions['stdin'],
  how: Pick<ScriptOptions, 'keepGoing' | 'onStatement'>,
): Promise<ScriptResult> {
  if (file === '-') {
    return runLines(context, LineSource.ofStream(stdin), { label: 'stdin', ...how })
  }
  const path = resolve(file)
  const names: ScriptOptions = { label: basename(file), filename: path, ...how }
  try {
    const text = await readScript(file)
    const { isSessionFile, statementsOf } = await import('./session-file.ts')
    return await runScript(context, isSessionFile(path) ? statementsOf(text) : text, names)
  } catch (error) {
    context.session.showError(error, undefined, '')
    return { failures: 1, isCancelled: false }
  }
}

async function readScript(file: string): Promise<string> {
  checkScriptName(file)
  try {
    return await readFile(resolve(file), 'utf8')
  } catch (cause) {
    // a client mistyped is taken for a file
    const hint = 'name a file, or one of the clients: aws, docker, nvidia, ecr-public'
    throw new SregistryError('STORAGE', `${file} could not be read`, {
      ...(/^[a-z-]+$/.test(file) ? { hint } : {}),
      cause,
    })
  }
}

/** A promise that nobody awaited and that fails is a failure of the script. */
function countFailures(session: Session): { readonly failures: number } {
  const count = { failures: 0 }
  const { output } = session
  watchBackground({
    onError: (error) => {
      count.failures += 1
      process.exitCode = 1 // for what fails after the script has ended
      session.showError(error, undefined, 'in the background: ')
    },
    onWarning: (warning) => output.notice(formatWarning(warning, output.errorStyle)),
  })
  return count
}

function interruptBy(session: Session): () => void {
  const onInterrupt = (): void => {
    const step = session.interrupt()
    if (step !== 'cancelling' && step !== 'stopping') process.exit(130)
  }
  process.on('SIGINT', onInterrupt)
  return () => process.off('SIGINT', onInterrupt)
}

function turnOfTheLoop(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}
