/**
 * What someone meant who typed what another program understands: a line of a Unix shell, Python, or a name
 * without its quotes. Looked at after the input has failed, so that nothing valid is ever taken for it.
 */
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { clientMethods } from './api-help.ts'

/** What failed: the line, and the column (from 1) it failed at. */
export type FailedLine = { readonly text: string; readonly column: number }

const pythonWords: Readonly<Record<string, string>> = {
  True: 'true',
  False: 'false',
  None: 'undefined',
}

const pullers = ['sregistry', 'docker', 'podman', 'singularity', 'apptainer']

/** A whole line that is no JavaScript at all: `help pull`, `docker pull busybox`, `ls -l`. */
export function meantByLine(
  text: string,
  isProgram: (name: string) => boolean = isProgramOnPath,
): string | undefined {
  const line = text.trim().replace(/;$/, '')
  const [first = '', ...rest] = line.split(/\s+/)
  if (first === 'help' && rest.length === 1) return `.help ${rest[0]}`
  if (first === 'cd') return `process.chdir('${rest[0] ?? '..'}')`
  if (first === 'export' && /^SREGISTRY_\w+=/.test(rest[0] ?? '')) return `.use ${rest.join(' ')}`
  if (/[()'"`{}]/.test(line)) return undefined
  const call = pullers.includes(first) ? callOf(rest) : undefined
  if (call !== undefined) return call
  const isCommand = /^[a-z][\w.+-]*(?:\s+[^=\s].*)?$/.test(line)
  if (isCommand && isProgram(first)) return `!${line}`
  return callOf([first.replace(/^client\./, ''), ...rest])
}

/** `pull library/busybox` as a call. Flags have no place in it. */
function callOf([command = '', ...words]: readonly string[]): string | undefined {
  const name = command === 'create' ? 'createRepository' : command
  if (!Object.hasOwn(clientMethods, name)) return undefined
  const values = words.filter((word) => !word.startsWith('-')).map((word) => `'${word}'`)
  return `client.${name}(${values.join(', ')})`
}

/** A call with a slip in it: `client.pull(library/busybox)`, `client.pull('x', force=True)`. */
export function meantByCall({ text, column }: FailedLine): string | undefined {
  const keyword = /^(.*\bclient\.\w+\([^()]*?),\s*(\w+\s*=[^=()][^()]*)\)/.exec(text)
  if (keyword !== null) return `${keyword[1]}, { ${fieldsOf(keyword[2] ?? '')} })`
  for (const match of text.matchAll(/\bclient\.(\w+)\(\s*([a-zA-Z][\w./:@-]*)\s*(?=[,)])/g)) {
    const isHere = match.index < column && column <= match.index + match[0].length + 1
    const [, name = '', word] = match
    if (isHere && takesText(name)) return `client.${name}('${word}')`
  }
  return wordOfPython(/^\w+/.exec(text.slice(column - 1))?.[0] ?? '')
}

function takesText(name: string): boolean {
  return Object.hasOwn(clientMethods, name) && (clientMethods[name]?.arguments.length ?? 0) > 0
}

/** `force=True, name='x'` as the inside of an object. */
function fieldsOf(keywords: string): string {
  return keywords
    .replace(/(\w+)\s*=\s*/g, '$1: ')
    .replace(/\b\w+\b/g, (word) => wordOfPython(word) ?? word)
    .trim()
}

function wordOfPython(word: string): string | undefined {
  return Object.hasOwn(pythonWords, word) ? pythonWords[word] : undefined
}

export function isProgramOnPath(name: string): boolean {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '')
  return /^[\w.+-]+$/.test(name) && folders.some((folder) => isExecutable(join(folder, name)))
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false // not there, or not for us: the same to whoever would run it
  }
}
