/** Calls that cannot be meant: told with the usage line before anything is sent anywhere. */
import { SregistryError } from '../errors/sregistry-error.ts'
import type { ArgumentKind, MethodHelp } from './api-help.ts'
import { useSettings } from './api-options.ts'
import { nearestName } from './nearest-name.ts'

const wanted: { readonly [kind in ArgumentKind]: string } = {
  reference: 'a reference as text, such as library/busybox:latest',
  repository: 'the name of a repository as text',
  image: 'the name of an image as text',
  path: 'a path as text',
  client: 'the name of a client as text',
  text: 'a text',
}

/** @throws {SregistryError} USAGE with the usage of the method as its hint. */
export function checkCall(name: string, help: MethodHelp, args: readonly unknown[]): void {
  for (const [i, kind] of help.arguments.entries()) {
    const given = args[i]
    const isMissing = given === undefined && i >= help.required
    if (isMissing || typeof given === 'string' || (i === 0 && isList(name, given))) continue
    throw wrongCall(help, `client.${name}() needs ${wanted[kind]}${positionOf(i)}`)
  }
  if (help.optionsAt !== undefined) checkOptions(name, help, args[help.optionsAt])
  if (help.result === 'client') checkSettings(help, args[0])
}

/** @returns The setting that a name nearly is, for names that are none: `regoin`, `region`. */
export function nearestSetting(name: string): string | undefined {
  const known = Object.keys(useSettings)
  return known.includes(name) ? undefined : nearestName(name, known)
}

function isList(name: string, given: unknown): boolean {
  return name === 'pull' && Array.isArray(given) && given.every((one) => typeof one === 'string')
}

function positionOf(index: number): string {
  return index === 0 ? '' : ', as its second argument'
}

// A backend may take options that are not in the help, so only what is nearly a known name is refused.
function checkOptions(name: string, help: MethodHelp, options: unknown): void {
  if (options === undefined) return
  if (typeof options !== 'object' || options === null) {
    throw wrongCall(help, `client.${name}() takes its options as an object, { … }`)
  }
  const known = Object.keys(help.options)
  for (const option of Object.keys(options).filter((one) => !known.includes(one))) {
    const near = nearestName(option, known)
    if (near !== undefined) {
      throw wrongCall(help, `client.${name}() has no option ${option}; did you mean ${near}?`)
    }
  }
}

function checkSettings(help: MethodHelp, settings: unknown): void {
  if (typeof settings !== 'object' || settings === null) {
    throw wrongCall(help, 'client.use() takes its settings as an object, { … }')
  }
  for (const name of Object.keys(settings)) {
    const near = nearestSetting(name)
    if (near !== undefined) {
      throw wrongCall(help, `there is no setting ${name}; did you mean ${near}?`)
    }
  }
}

function wrongCall(help: MethodHelp, message: string): SregistryError {
  return new SregistryError('USAGE', message, {
    hint: `usage: client.${help.signature}\n  example: ${help.example}`,
  })
}
