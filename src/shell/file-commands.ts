/** `.load`, `.save` and `.edit`: commands that read and write files. */
import { readFile, stat, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { basename, join, resolve } from 'node:path'
import { SregistryError } from '../errors/sregistry-error.ts'
import type { CommandContext } from './command-context.ts'
import { promptOf, usageError } from './command-faults.ts'
import { checkScriptName } from './foreign-script.ts'
import { currentStatement } from './interrupt.ts'
import type { Outcome } from './session.ts'

export async function loadFile(context: CommandContext, file: string): Promise<Outcome> {
  if (file === '') throw usageError('.load FILE', '.load needs a file')
  const { isSessionFile, statementsOf } = await import('./session-file.ts')
  const path = pathOf(file, context.env)
  checkScriptName(path)
  const text = await readText(path)
  const source = isSessionFile(path) ? statementsOf(text) : text
  const result = await context.runScript(source, { label: basename(path), filename: path })
  if (result.isCancelled) return 'cancelled'
  return result.failures > 0 ? 'failed' : 'done'
}

export async function saveFile({ session, env }: CommandContext, file: string): Promise<Outcome> {
  if (file === '') throw usageError('.save FILE', '.save needs a file')
  const { formatScript, formatSession, isSessionFile } = await import('./session-file.ts')
  const { entries } = session.transcript
  const path = pathOf(file, env)
  const text = isSessionFile(path)
    ? formatSession(entries, { needs: needsOf(env), width: session.output.style.width })
    : formatScript(entries)
  try {
    await writeFile(path, text)
  } catch (cause) {
    throw new SregistryError('NOT_WRITABLE', `${path} could not be written`, { cause })
  }
  session.output.notice(`saved to ${path}`)
  return 'done'
}

/** As people write it for other shells: in quotes, or from their home directory. */
function pathOf(typed: string, env: CommandContext['env']): string {
  const file = /^(["'])(.+)\1$/.exec(typed)?.[2] ?? typed
  if (file !== '~' && !file.startsWith('~/')) return resolve(file)
  return join(env['HOME'] || homedir(), file.slice(1))
}

/** What runs on this machine now will not be there another time: a check must start it. */
function needsOf(env: CommandContext['env']): string | undefined {
  const isLocal = /^https?:\/\/(?:127\.0\.0\.1|localhost)[:/]/.test(
    env['AWS_ENDPOINT_URL_ECR'] ?? '',
  )
  return isLocal ? 'local-ecr' : undefined
}

export async function editStatement(context: CommandContext, argument: string): Promise<Outcome> {
  const { history, remember, lend } = promptOf(context, '.edit')
  const { editText } = await import('./subprocess.ts')
  const statements = history()
  // the last of all is this `.edit` itself
  const statement =
    argument === ''
      ? statements.findLast((one) => !one.trimStart().startsWith('.'))
      : statements[Number(argument) - 1]
  if (statement === undefined && argument !== '') {
    throw usageError('.edit [n]', `there is no statement ${argument}; .history lists them`)
  }
  const text = await lend(() => editText(statement ?? '', context.env))
  if (text.trim() === '') return 'done'
  context.session.output.result(text.trimEnd())
  remember(text.trimEnd())
  const result = await context.runScript(text, { label: 'edited' })
  return result.failures > 0 ? 'failed' : 'done'
}

async function readText(path: string): Promise<string> {
  // a terminal would be read until its end, with the keys that are meant for the prompt
  const isOther = await stat(path).then(
    (found) => !found.isFile(),
    () => false, // reading it tells why it cannot be
  )
  if (isOther) throw usageError('.load FILE', `${path} is no file`)
  const signal = currentStatement.getStore()?.signal
  try {
    return await readFile(path, { encoding: 'utf8', ...(signal && { signal }) })
  } catch (cause) {
    throw new SregistryError('STORAGE', `${path} could not be read`, { cause })
  }
}
