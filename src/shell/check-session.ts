/** `sregistry shell --check FILE`: runs a saved session and compares what it prints. */
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { Writable } from 'node:stream'
import { SregistryError } from '../errors/sregistry-error.ts'
import type { CommandContext } from './command-context.ts'
import { readCommand, runCommand } from './dot-commands.ts'
import { defineGlobals, defineResults } from './globals.ts'
import { ShellOutput } from './output.ts'
import { scriptContext } from './run-scripts.ts'
import { type Outcome, Session } from './session.ts'
import {
  firstDifference,
  parseSession,
  type SessionFile,
  type SessionStep,
} from './session-file.ts'
import { openClient } from './shell-client.ts'
import { outputModes, type ShellOptions } from './shell-options.ts'

/** What a saved session is run with, and on; see openCheckPlace of the command line. */
export type CheckPlace = Pick<ShellOptions, 'client' | 'createClient' | 'env'> & {
  readonly close: () => Promise<void>
}

export type CheckOptions = Pick<ShellOptions, 'stderr' | 'flags' | 'globals' | 'cleanUp'> & {
  readonly files: readonly string[]
  /** @param needs What the session says it needs, such as `local-ecr`. */
  readonly openPlace: (needs: string | undefined) => Promise<CheckPlace>
}

/**
 * Runs each file in a place of its own.
 * @returns 0 when every file keeps its word, 1 with a diff of the first difference of each otherwise, 2 without
 *   files.
 * @throws {SregistryError} STORAGE for a file that cannot be read.
 */
export async function checkSessions(options: CheckOptions): Promise<number> {
  const { files, stderr } = options
  if (files.length === 0) {
    stderr.write('error USAGE: --check needs saved sessions to check\n')
    return 2
  }
  let differing = 0
  for (const file of files) {
    const session = parseSession(await readSession(file))
    const place = await options.openPlace(session.needs)
    const difference = await checkSession(session, { ...options, ...place }).finally(place.close)
    if (difference === undefined) continue
    differing += 1
    stderr.write(`${file}${difference}\n`)
  }
  return differing === 0 ? 0 : 1
}

async function readSession(file: string): Promise<string> {
  try {
    return await readFile(resolve(file), 'utf8')
  } catch (cause) {
    throw new SregistryError('STORAGE', `${file} could not be read`, { cause })
  }
}

/** @returns What differs, beginning with its line; undefined when nothing does. */
async function checkSession(
  file: SessionFile,
  options: CheckOptions & CheckPlace,
): Promise<string | undefined> {
  const printed: string[] = []
  const sink = Object.assign(
    new Writable({
      decodeStrings: false,
      write(chunk: string, _encoding, done) {
        printed.push(chunk)
        done()
      },
    }),
    { columns: file.width },
  )
  const env = { ...options.env, LC_ALL: 'C.UTF-8', NO_COLOR: '1', FORCE_COLOR: undefined }
  const { createClient, globals, cleanUp } = options
  const modes = outputModes(options.flags)
  const output = new ShellOutput({ stdout: sink, stderr: sink, env, bars: sink, modes })
  const client = await openClient(options.client)
  const session = new Session({ client, createClient, output, now: Date.now, cleanUp })
  defineGlobals(session, globals ?? {})
  defineResults()
  const context = scriptContext(session, options)
  const advice = file.needs === undefined ? `\n  hint: ${placeHint}` : ''
  if (file.steps.length === 0)
    return ':1: there is no statement in it, such as aws:us-east-1> 1 + 1'
  for (const step of file.steps) {
    printed.length = 0
    const before = session.prompt
    if (step.prompt !== before) return `:${step.line}: the prompt is ${before}${advice}`
    await runStep(context, step)
    const actual = printed.join('').replace(/\n$/, '').split('\n')
    const difference = describeDifference(step, actual)
    if (difference !== undefined) return difference
  }
  return undefined
}

/** As at the prompt: errors do not begin with a file and a line. */
function runStep(context: CommandContext, { source, line }: SessionStep): Promise<Outcome> {
  const command = readCommand(source)
  if (command !== undefined) return runCommand(context, command)
  return context.runStatement({ text: source, filename: `session:${line}` })
}

const placeHint =
  'the settings choose client and region; with `# needs: local-ecr` above it, it gets an ECR of its own'

function describeDifference(step: SessionStep, actual: readonly string[]): string | undefined {
  const lines = actual.length === 1 && actual[0] === '' ? [] : actual
  const at = firstDifference(step.expected, lines)
  if (at === undefined) return undefined
  const expected = step.expected.map((line, i) => `${i === at ? '-' : ' '} ${line}`)
  return [`:${step.line + 1 + at}: ${step.source.split('\n')[0]}`, ...expected]
    .concat(lines.map((line) => `+ ${line}`))
    .join('\n')
}
