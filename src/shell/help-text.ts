/** Which help belongs to a value: `help(client)`, `help(client.pull)`, `help('pull')`, `help()`. */
import { clientMethods } from './api-help.ts'
import { commandHelps } from './dot-commands.ts'
import {
  clientHelp,
  helpForName,
  methodHelp,
  objectHelp,
  overviewHelp,
  unknownHelp,
} from './help.ts'
import type { Session } from './session.ts'

export function helpText(session: Session, value: unknown): string {
  const { style } = session.output
  if (value === undefined) return overviewHelp(commandHelps, style)
  if (typeof value === 'string') {
    return helpForName(value, commandHelps, style) ?? unknownHelp(value, commandHelps)
  }
  if (session.calls.kindOf(value) === 'client') return clientHelp(value as object, style)
  const method = clientMethods[session.calls.methodOf(value) ?? '']
  return method === undefined ? objectHelp(value, style) : methodHelp(method, style)
}
