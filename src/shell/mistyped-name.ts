/** "Did you mean …?" for names and members that are not there, found without running any code. */
import { clientMethods } from './api-help.ts'
import { memberNames, memberNamesOf } from './member-names.ts'
import { nearestName } from './nearest-name.ts'

const paths = /[\p{L}_$][\p{L}\p{N}_$]*(?:\??\.[\p{L}_$][\p{L}\p{N}_$]*)*/gu
const pathAlone = /^[\p{L}_$][\p{L}\p{N}_$]*(?:\.[\p{L}_$][\p{L}\p{N}_$]*)+$/u

// They look like names, and nothing is meant by them but themselves: `null.x`.
const words = new Set(['null', 'true', 'false', 'this', 'super', 'new', 'await', 'typeof', 'void'])

/** What other programs call it. Offered where the object has what is meant. */
const otherWords = new Map([
  ['ls', 'images'],
  ['list', 'images'],
  ['remove', 'rm'],
  ['delete', 'rm'],
  ['rmi', 'rm'],
  ['move', 'mv'],
  ['download', 'pull'],
  ['fetch', 'pull'],
  ['login', 'token'],
  ['info', 'inspect'],
  ['show', 'inspect'],
  ['catalog', 'repositories'],
])

/** What is not there, and the nearest that is: `client.pul`, `client.pull`. */
export type MistypedName = { readonly typed: string; readonly near: string }

/**
 * Looks at the name at a place of the input, where an error arose.
 * @param column Counted from 1.
 */
export function mistypedNameAt(text: string, column: number): MistypedName | undefined {
  for (const match of text.matchAll(paths)) {
    const end = match.index + match[0].length
    // V8 blames the bracket after a method that is called as a word of the language is: `client.delete(`
    if (match.index < column && column <= end + 1) return firstMissing(match[0].split(/\??\./))
  }
  return undefined
}

/** An input that is nothing but a path of names, `client.pul`, whose value was undefined. */
export function mistypedMember(source: string): MistypedName | undefined {
  const path = source.trim().replace(/;$/, '')
  return pathAlone.test(path) ? firstMissing(path.split('.')) : undefined
}

function firstMissing(path: readonly string[]): MistypedName | undefined {
  if (words.has(path[0] ?? '')) return undefined
  for (const [i, name] of path.entries()) {
    const known = i === 0 ? memberNames(globalThis, false) : memberNamesOf(path.slice(0, i))
    if (known.includes(name)) continue
    const near = nearOf(name, known, i === 0)
    const before = path.slice(0, i).map((one) => `${one}.`)
    return near === undefined
      ? undefined
      : { typed: `${before.join('')}${name}`, near: `${before.join('')}${near}` }
  }
  return undefined
}

/** Of what lies past a getter nothing is known. `pull('x')` alone is the client's method, forgotten whose. */
function nearOf(name: string, known: readonly string[], isGlobal: boolean): string | undefined {
  if (isGlobal && Object.hasOwn(clientMethods, name)) return `client.${name}`
  const word = otherWords.get(name)
  return word !== undefined && known.includes(word) ? word : nearestName(name, known)
}
