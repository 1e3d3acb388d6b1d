/** What is said of a candidate beside its name: a signature, a line of what it is for. */
import { settingTable } from '../settings/setting-table.ts'
import { clientMethods, type MethodHelp, shellGlobals } from './api-help.ts'
import { useSettings } from './api-options.ts'
import { clientFacts, imageMembers, prototypeOf } from './api-results.ts'
import type { CursorContext } from './cursor-context.ts'
import { commandHelps } from './dot-commands.ts'
import { functionSignature } from './function-signature.ts'
import { dataMember, isImage, objectAt } from './member-names.ts'

export type CandidateNote = { readonly signature?: string; readonly summary?: string }

/** What is known of a call for certain. */
export type CallNote = { readonly signature: string; readonly summary?: string }

/** The name of the client's method that a function is. */
export type MethodOf = (value: unknown) => string | undefined

/** A method in a list: of its options there is only a sign, they have a completion of their own. */
export function methodNote({ signature, summary }: MethodHelp): CandidateNote {
  return { signature: signature.replace(/\{[^}]*\}/, '{…}'), summary }
}

export function noteOf(
  context: CursorContext,
  name: string,
  methodOf: MethodOf,
): CandidateNote | undefined {
  switch (context.kind) {
    case 'command':
      return commandNote(name)
    case 'command-argument':
      return argumentNote(context.command, name)
    case 'name':
    case 'value':
      return own(shellGlobals, name) ?? valueNote(globalThis, name, methodOf)
    case 'member':
      return context.called
        ? resultNote(context.path.at(-1) ?? '', name)
        : memberNote(context.path, name, methodOf)
    case 'option':
      return own(own(clientMethods, context.callee.split('.').at(-1) ?? '')?.options ?? {}, name)
    default:
      return undefined
  }
}

/** How a call goes, told in full right after its `(`. */
export function noteOfCall(callee: string, methodOf: MethodOf): CallNote | undefined {
  const path = callee.split('.')
  const name = path.at(-1) ?? ''
  const holder = path.length === 1 ? globalThis : objectAt(path.slice(0, -1))
  const value = dataMember(holder, name)
  if (typeof value !== 'function') return undefined
  const method = own(clientMethods, methodOf(value) ?? '')
  if (method !== undefined) {
    return { signature: `client.${method.signature}`, summary: method.summary }
  }
  const verb = path.length === 1 ? own(shellGlobals, name) : undefined
  return verb ?? { signature: functionSignature(name, value) }
}

function commandNote(name: string): CandidateNote | undefined {
  const help = own(commandHelps, name)
  return help === undefined ? undefined : { signature: help.usage.slice(1), summary: help.summary }
}

function argumentNote(command: string, name: string): CandidateNote | undefined {
  if (command === 'use') return own(useSettings, name.replace(/=$/, ''))
  if (command !== 'help') return undefined
  const method = own(clientMethods, name)
  return method === undefined ? commandSummary(name) : methodNote(method)
}

function commandSummary(name: string): CandidateNote | undefined {
  const summary = own(commandHelps, name)?.summary
  return summary === undefined ? undefined : { summary }
}

function memberNote(
  path: readonly string[],
  name: string,
  methodOf: MethodOf,
): CandidateNote | undefined {
  if (path.join('.') === 'process.env') {
    const meaning = own(settingTable, name)?.meaning
    return meaning === undefined ? undefined : { summary: meaning }
  }
  const object = objectAt(path)
  if (isImage(object)) return own(imageMembers, name)
  const isClient = methodOf(dataMember(object, 'use')) === 'use'
  if (isClient && Object.hasOwn(clientFacts, name)) return clientFacts[name]
  return valueNote(object, name, methodOf)
}

function valueNote(object: unknown, name: string, methodOf: MethodOf): CandidateNote | undefined {
  const value = dataMember(object, name)
  if (typeof value !== 'function') return undefined
  const method = own(clientMethods, methodOf(value) ?? '')
  return method === undefined ? { signature: functionSignature(name, value) } : methodNote(method)
}

function resultNote(callee: string, name: string): CandidateNote | undefined {
  const kind = own(clientMethods, callee)?.result
  if (kind === 'image') return own(imageMembers, name)
  const method = kind === 'client' ? own(clientMethods, name) : undefined
  if (method !== undefined) return methodNote(method)
  return valueNote(prototypeOf(kind), name, () => undefined)
}

function own<Value>(table: { readonly [name: string]: Value }, name: string): Value | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined
}
