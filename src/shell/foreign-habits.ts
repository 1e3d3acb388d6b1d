/**
 * What someone meant who typed what another program understands: a line of a Unix shell, IPython's `%run`,
 * Python, a command without its dot, or a name without its quotes. Looked at after the input has failed, so that nothing valid is ever taken for it.
 */
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { clientMethods } from './api-help.ts'
import { dotCommandNames } from './command-names.ts'

/** What failed: the line, and the column (from 1) it failed at. */
export type FailedLine = { readonly text: string; readonly column: number }

const pythonWords: Readonly<Record<string, string>> = {
  True: 'true',
  False: 'false',
  None: 'undefined',
}

/** What IPython and terminals call a command of ours. */
const otherCommands: ReadonlyMap<string, string> = new Map([
  ['run', 'load'],
  ['hist', 'history'],
  ['tb', 'error'],
  ['timeit', 'time'],
  ['quickref', 'help'],
  ['cls', 'clear'],
])

const switches = ['time', 'json', 'quiet']

const pullers = ['sregistry', 'docker', 'podman', 'singularity', 'apptainer']

/** A whole line that is no JavaScript at all: `help pull`, `docker pull busybox`, `ls -l`. */
export function meantByLine(
  text: string,
  isProgram: (name: string) => boolean = isProgramOnPath,
): string | undefined {
  const magic = /^\s*%{1,2}([a-z]\w*.*)$/.exec(text)?.[1]
  const line = (magic ?? text).trim().replace(/;$/, '')
  const [first = '', ...rest] = line.split(/\s+/)
  if (first === 'cd') return `process.chdir('${rest[0] ?? '..'}')`
  if (first === 'export' && /^SREGISTRY_\w+=/.test(rest[0] ?? '')) return `.use ${rest.join(' ')}`
  if (magic !== undefined && switches.includes(first)) return `.${first} on`
  if (/[()'"`{}]/.test(line)) return undefined
  const call = pullers.includes(first) ? callOf(rest) : undefined
  if (call !== undefined) return call
  const isCommand = /^[a-z][\w.+-]*(?:\s+[^=\s].*)?$/.test(line)
  const command = isCommand ? dotCommandOf(first, rest, magic !== undefined) : undefined
  if (command !== undefined) return command
  if (isCommand && !isWholeCall(line) && isProgram(first)) return `!${line}`
  return callOf([first.replace(/^client\./, ''), ...rest])
}

/** `history`, `use docker`, `%run tour.js`. What is a method of the client, too, is meant as that. */
function dotCommandOf(
  first: string,
  rest: readonly string[],
  isMagic: boolean,
): string | undefined {
  const name = otherCommands.get(first) ?? first
  const isKnown = dotCommandNames.some((one) => one === name)
  const isOurs = isMagic || name === 'use' || !Object.hasOwn(clientMethods, name)
  // `run`, `hist` and `tb` are IPython's only behind its sign
  if (!isKnown || !isOurs || (name !== first && first !== 'cls' && !isMagic)) return undefined
  const words = switches.includes(name) ? [rest[0] === 'off' ? 'off' : 'on'] : rest
  return [`.${name}`, ...words].join(' ')
}

/** `pull library/busybox` as a call. Flags have no place in it. */
function callOf([command = '', ...words]: readonly string[]): string | undefined {
  const name = command === 'create' ? 'createRepository' : command
  if (!isMethod(name)) return undefined
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

/** `whoami`: the account is asked about here, not the user of the machine. */
function isWholeCall(line: string): boolean {
  return isMethod(line) && !takesText(line)
}

function isMethod(name: string): boolean {
  return Object.hasOwn(clientMethods, name)
}

function takesText(name: string): boolean {
  return isMethod(name) && (clientMethods[name]?.arguments.length ?? 0) > 0
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
