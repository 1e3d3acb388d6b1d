/** Help for values: what an image offers, what a function takes, what any object is made of. */
import { inspect } from 'node:util'
import { plainWords } from '../terminal/plain-words.ts'
import { sanitise } from '../terminal/sanitise.ts'
import type { TerminalStyle } from '../terminal/terminal-style.ts'
import { wrapWords } from '../terminal/text-width.ts'
import { imageMembers } from './api-results.ts'
import { functionSignature } from './function-signature.ts'
import { isImage, memberNames } from './member-names.ts'

const maxMembers = 60
const indent = '  '

export function objectHelp(value: unknown, style: TerminalStyle): string {
  if (typeof value === 'function') return functionHelp(value, style)
  if (typeof value !== 'object' || value === null) {
    return `a ${typeof value}: ${sanitise(inspect(value, { maxStringLength: 200 }))}`
  }
  if (isImage(value)) return imageHelp(value, style)
  return Array.isArray(value)
    ? listHelp(value, style)
    : [titleOf(value), ...members(value, style)].join('\n')
}

/** What stands in an image, each with what it means. */
function imageHelp(image: object, style: TerminalStyle): string {
  const start = 17
  const lines = Object.entries(imageMembers).flatMap(([name, { signature, summary }]) => {
    if (!(name in image)) return []
    const [first = '', ...rest] = wrapWords(summary, style.width - start)
    const head = `${indent}${indent}${(signature ?? name).padEnd(start - 5)} `
    return [head + first, ...rest.map((line) => ' '.repeat(start) + line)]
  })
  const title = style.colours.strong('an image on this machine')
  return plainWords([title, ...lines].join('\n'), style)
}

/** A function that is not ours: its parameters are all that is known. */
function functionHelp(value: object, style: TerminalStyle): string {
  const { value: name } = Object.getOwnPropertyDescriptor(value, 'name') ?? {}
  const isNamed = typeof name === 'string' && name !== ''
  const signature = functionSignature(isNamed ? name : 'function', value)
  const isClass = isNamed && signature === name
  const lines = [style.colours.strong(sanitise(`${isClass ? 'class ' : ''}${signature}`))]
  return plainWords(
    [...lines, ...(isClass ? members(Object(value).prototype, style) : [])].join('\n'),
    style,
  )
}

/** Of a list, what each of its rows has: the methods of arrays are no news. */
function listHelp(list: readonly unknown[], style: TerminalStyle): string {
  const [first] = list
  const title = `a list of ${list.length}`
  if (typeof first !== 'object' || first === null) return title
  return [list.length === 0 ? title : `${title}, each with`, ...members(first, style)].join('\n')
}

function titleOf(value: object): string {
  const kind = sanitise(String(value.constructor?.name ?? 'object'))
  return `${/^[AEIOU]/.test(kind) ? 'an' : 'a'} ${kind}`
}

function members(value: unknown, style: TerminalStyle): readonly string[] {
  const names = memberNames(value, true).slice(0, maxMembers).map(sanitise)
  const lines = wrapWords(names.join(', '), style.width - indent.length)
  return lines.map((line) => style.colours.dim(indent + line))
}
