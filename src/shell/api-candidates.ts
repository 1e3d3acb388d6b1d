/** Candidates of the API and of the language that are known without asking anyone. */
import { settingNames } from '../settings/setting-table.ts'
import { clientMethods, type MethodHelp } from './api-help.ts'
import { membersOfResult } from './api-results.ts'
import type { CursorContext } from './cursor-context.ts'
import { commandHelps } from './dot-commands.ts'
import { fileNames, isPathLike, moduleNames } from './file-names.ts'
import { memberNames, memberNamesOf } from './member-names.ts'

type ContextOf<Kind> = Extract<CursorContext, { readonly kind: Kind }>

const keywords: readonly string[] = [
  ...['async', 'await', 'break', 'case', 'catch', 'class', 'const', 'continue', 'delete', 'else'],
  ...['export', 'extends', 'false', 'finally', 'for', 'function', 'import', 'instanceof', 'null'],
  ...['return', 'switch', 'this', 'throw', 'true', 'typeof', 'undefined', 'while', 'yield'],
]

/** @returns Undefined for what is no method of a client, by its name. */
export function methodOf(callee: string): MethodHelp | undefined {
  const [object, method, ...rest] = callee.split('.')
  // Any variable may hold a client, so the method's name decides.
  return object === undefined || method === undefined || rest.length > 0
    ? undefined
    : clientMethods[method]
}

export function namesFrom(prefix: string): readonly string[] {
  const names = memberNames(globalThis, false)
  return prefix.length < 2 ? names : [...names, ...keywords]
}

export function optionNames(context: ContextOf<'option'>): readonly string[] {
  const help = methodOf(context.callee)
  const isOptions = help?.optionsAt === context.argument || help?.result === 'client'
  if (help === undefined || !isOptions) return []
  return Object.keys(help.options).filter((name) => !context.given.includes(name))
}

export function membersAt({ path, called }: ContextOf<'member'>): readonly string[] {
  if (called) return membersOfResult(methodOf(path.join('.'))?.result)
  const names = memberNamesOf(path)
  // of the environment the settings, too, that have no value yet
  return path.join('.') === 'process.env' ? [...names, ...settingNames] : names
}

/** What `help('…')` and `.help` take. */
export function explainedNames(): readonly string[] {
  return [...Object.keys(commandHelps), ...Object.keys(clientMethods)]
}

/** In strings that are none of the API's: modules where they are wanted, else files. */
export function stringsOutside({
  callee,
  prefix,
}: ContextOf<'string'>): Promise<readonly string[]> | readonly string[] {
  if (callee === 'help') return explainedNames()
  if (['require', 'import', 'process.getBuiltinModule'].includes(callee)) return moduleNames(prefix)
  return callee !== '' || isPathLike(prefix) ? fileNames(prefix) : []
}

/** Whether candidates stand in the order in which help tells them: what is wanted most first. */
export function isOrdered(context: CursorContext): boolean {
  if (context.kind === 'command-argument') return context.command === 'use'
  return context.kind === 'option' || context.kind === 'command'
}
