/** The real program, as a user starts it: its own process, its own environment. Needs a build. */
import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

export const program: string = fileURLToPath(new URL('../../bin/sregistry.js', import.meta.url))

export type Ended = {
  readonly exitCode: number | null
  readonly stdout: string
  readonly stderr: string
}

export type RunOptions = {
  /** All that it sees of the environment beside PATH. */
  readonly env: Readonly<Record<string, string | undefined>>
  readonly directory?: string
  readonly input?: string
}

/** Runs to the end, whatever the exit code. */
export function runProgram(args: readonly string[], options: RunOptions): Promise<Ended> {
  return startProgram(args, options).ended
}

/** As `runProgram`, with the process in hand. */
export function startProgram(
  args: readonly string[],
  options: RunOptions,
): { readonly child: ChildProcess; readonly ended: Promise<Ended> } {
  const { env, directory, input = '' } = options
  const child = spawn(process.execPath, [program, ...args], {
    env: { PATH: process.env['PATH'], ...env },
    ...(directory === undefined ? {} : { cwd: directory }),
  })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  child.stdin.on('error', () => undefined) // it may end without reading
  child.stdin.end(input)
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (exitCode) => resolve({ exitCode, stdout, stderr }))
  })
  return { child, ended }
}
