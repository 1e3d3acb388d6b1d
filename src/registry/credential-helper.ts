/**
 * Docker's credential helpers: `docker-credential-NAME get`, the server on stdin, JSON on stdout
 * (docker-credential-helpers protocol). Run without a shell, in a group of their own, for 30 s at most.
 */
import { throwIfCancelled } from '../errors/cancelled.ts'
import { redact } from '../errors/redact.ts'
import { SregistryError } from '../errors/sregistry-error.ts'
import type { Credentials } from './credentials.ts'
import { isJsonObject, own } from './json-document.ts'
import { visibleText } from './visible-text.ts'

type HelperResult = {
  /** Undefined when it was ended by a signal or could not be started. */
  readonly exitCode: number | undefined
  readonly stdout: string
  /** `ENOENT` when there is no such program. */
  readonly startError?: string
}

export type HelperRunner = (
  program: string,
  input: string,
  signal?: AbortSignal,
) => Promise<HelperResult>

const helperName = /^[A-Za-z0-9._-]+$/
const timeoutMs = 30_000
const maxOutputBytes = 1024 * 1024

/**
 * What the helper keeps for the server; undefined when it keeps nothing, or is not installed here.
 * @param server As it stands in the config file; helpers look it up literally.
 * @throws {SregistryError} CREDENTIALS_MISSING with the helper's own words when it fails.
 */
export async function askCredentialHelper(
  helper: string,
  server: string,
  run: HelperRunner,
  signal?: AbortSignal,
): Promise<Credentials | undefined> {
  if (!helperName.test(helper)) {
    const message = `"${visibleText(helper, 80)}" is not the name of a credential helper`
    throw new SregistryError('SETTING_INVALID', message)
  }
  const program = `docker-credential-${helper}`
  const result = await run(program, `${server}\n`, signal)
  throwIfCancelled(signal, program)
  if (result.startError === 'ENOENT') return undefined
  if (result.exitCode !== 0) return explainFailure(program, result)
  return readOutput(program, result.stdout)
}

/** A missing entry is told by a sentence on stdout and exit code 1: then the user is anonymous. */
function explainFailure(program: string, result: HelperResult): undefined {
  const said = result.stdout.trim()
  if (/credentials not found/i.test(said)) return undefined
  const words = said === '' ? 'it said nothing' : redact(visibleText(said, 200))
  throw new SregistryError('CREDENTIALS_MISSING', `${program} failed: ${words}`, {
    hint: `run "echo HOST | ${program} get" to see why`,
  })
}

function readOutput(program: string, stdout: string): Credentials | undefined {
  let document: unknown
  try {
    document = JSON.parse(stdout)
  } catch {
    // the parser's message would quote the secret
    document = undefined
  }
  const username = isJsonObject(document) ? own(document, 'Username') : undefined
  const secret = isJsonObject(document) ? own(document, 'Secret') : undefined
  if (typeof username !== 'string' || typeof secret !== 'string') {
    throw new SregistryError('CREDENTIALS_MISSING', `${program} answered with no credentials`)
  }
  if (secret === '') return undefined
  if (username === '<token>') return { kind: 'identity-token', token: secret, from: program }
  return { kind: 'password', username, password: secret, from: program }
}

/** Runs the program, and ends its whole group when the time is over. Never rejects. */
export const runCredentialHelper: HelperRunner = async (program, input, signal) => {
  const { spawn } = await import('node:child_process')
  return new Promise((resolve) => {
    const child = spawn(program, ['get'], { stdio: ['pipe', 'pipe', 'ignore'], detached: true })
    const chunks: Buffer[] = []
    let outputBytes = 0
    const end = () => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
      } catch {
        // the group has ended by itself
      }
    }
    const timer = setTimeout(end, timeoutMs)
    signal?.addEventListener('abort', end, { once: true })
    const finish = (result: Omit<HelperResult, 'stdout'>) => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', end)
      resolve({ ...result, stdout: Buffer.concat(chunks).toString('utf8') })
    }
    child.stdout.on('data', (chunk: Buffer) => {
      outputBytes += chunk.length
      if (outputBytes > maxOutputBytes) end()
      else chunks.push(chunk)
    })
    // a helper may end without reading its input
    child.stdin.on('error', () => undefined)
    child.on('error', (error: NodeJS.ErrnoException) =>
      finish({ exitCode: undefined, startError: error.code ?? 'UNKNOWN' }),
    )
    child.on('close', (code) => finish({ exitCode: code ?? undefined }))
    child.stdin.end(input)
  })
}
