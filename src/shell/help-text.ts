/** Which help belongs to a value: `help(client)`, `help(client.pull)`, `help('pull')`, `help()`. */
import { clientMethods } from './api-help.ts'
import { commandHelps } from './dot-commands.ts'
import { clientHelp, helpForName, methodHelp, overviewHelp, unknownHelp } from './help.ts'
import { objectHelp } from './object-help.ts'
import type { Session } from './session.ts'

/** The shell's own functions by what they are called; users may give the names to something else. */
const verbs = new WeakMap<object, string>()

export function rememberVerb(name: string, verb: object): void {
  verbs.set(verb, name)
}

/** A function of the API or of the shell, named without a call: what it does says more than its name. */
export function isExplained(session: Session, value: unknown): boolean {
  if (typeof value !== 'function') return false
  return verbs.has(value) || session.calls.methodOf(value) !== undefined
}

/** Of a text that is a value, and no name to be looked up. */
export function helpTextOf(session: Session, text: string): string {
  return objectHelp(text, session.output.style)
}

export function helpText(session: Session, given: unknown): string {
  const { style } = session.output
  const verb = typeof given === 'function' ? verbs.get(given) : undefined
  const value = verb ?? given
  if (value === undefined || verb === 'help') return overviewHelp(commandHelps, style)
  if (typeof value === 'string') {
    return helpForName(value, commandHelps, style) ?? unknownHelp(value, commandHelps)
  }
  if (session.calls.kindOf(value) === 'client') return clientHelp(value as object, style)
  const method = clientMethods[session.calls.methodOf(value) ?? '']
  return method === undefined ? objectHelp(value, style) : methodHelp(method, style)
}
