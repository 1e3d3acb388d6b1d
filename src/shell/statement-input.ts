/** One input that is no dot-command: JavaScript, or one of the few forms that are not. */
import type { CommandContext } from './command-context.ts'
import { usageError } from './command-faults.ts'
import type { Outcome, StatementSource } from './session.ts'
import { readSugar, type Sugar } from './sugar.ts'

type InputContext = Pick<CommandContext, 'session' | 'env' | 'prompt'>

export async function runInput(context: InputContext, source: StatementSource): Promise<Outcome> {
  const sugar = readSugar(source.text, (name) => name in globalThis)
  if (sugar === undefined) return context.session.run(source)
  source.onStart?.()
  return context.session.supervise(() => runSugar(sugar, context))
}

async function runSugar(sugar: Sugar, { session, env, prompt }: InputContext): Promise<Outcome> {
  if (sugar.kind === 'exit') {
    session.exit(sugar.code)
    return 'done'
  }
  if (sugar.kind === 'help') {
    const { helpText, helpTextOf } = await import('./help-text.ts')
    const value = namedValue(sugar.name)
    const isText = typeof value === 'string' && value !== sugar.name
    session.output.result(isText ? helpTextOf(session, value) : helpText(session, value))
    return 'done'
  }
  if (sugar.text === '') throw usageError('!command', '! needs a command, such as !ls -l $image')
  const { runInShell } = await import('./subprocess.ts')
  const image = session.lastImagePath
  const run = (): Promise<number> =>
    runInShell(sugar.text, { env: image === undefined ? env : { ...env, image } })
  const code = await (prompt === undefined ? run() : prompt.lend(run))
  if (code === 0) return 'done'
  // the terminal has echoed `^C` without a line end
  const lineEnd = prompt !== undefined && code === 130 ? '\n' : ''
  session.output.notice(`${lineEnd}exit code ${code}`)
  return 'failed'
}

/** What a name stands for; the name itself when it is not defined, so that help can say so. */
function namedValue(name: string | undefined): unknown {
  if (name === undefined) return undefined
  let value: unknown = globalThis
  for (const part of name.split('.')) {
    if (value === undefined || value === null) return name
    value = Reflect.get(Object(value), part)
  }
  return value ?? name
}
