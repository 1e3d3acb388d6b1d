/**
 * TypeScript typed at the prompt: told from other mistakes by the place at which JavaScript ends, and
 * answered with the same line without its types. Looked at after the input has failed.
 */
import { Script } from 'node:vm'
import type { FailedLine } from './foreign-habits.ts'

/** Type names that are no values: `f<string>('x')` is JavaScript, and fails over `string`. */
const primitiveTypes = /^(?:string|number|boolean|any|unknown|never)$/

const mark = '\ue000'
// A type in one piece: a name, a literal, an object, a function, with what stands behind it.
const onePiece = `(?:\\([^()]*\\)\\s*=>\\s*)?(?:[\\w$.]+|${mark}\\d+${mark}|\\{[^{}]*\\}|\\[[^\\[\\]]*\\])(?:<[^()=]*?>)?(?:\\[\\])*`
const type = `${onePiece}(?:\\s*[|&]\\s*${onePiece})*`

/** What makes a line TypeScript, by the text before and after the place where it fails. */
const forms: readonly (readonly [before: RegExp, after: RegExp])[] = [
  // const x: string, (a: string), ): void
  [
    /[\w$)\]}]\s*$/,
    new RegExp(
      `^\\??:\\s*(?:[A-Z{[]|${wordsOf('string number boolean any unknown never void object bigint symbol null undefined')})`,
    ),
  ],
  [/\b(?:let|const|var)\s+[\w$]+\s*$/, /^:/],
  [/[\w$)\]}'"`]\s+$/, /^(?:as|satisfies)\s+\S/],
  [
    /(?:^|[\n;}]|\bexport|\bdeclare)\s*(?:interface|type|namespace|module|abstract|declare)\s+$/,
    /^[\w${*]/,
  ],
  [
    /(?:^|[\n;}]|\b(?:export|declare|const))\s*$/,
    /^(?:interface|type|namespace|declare|abstract|enum)\s+[\w$]/,
  ],
  [/[{;\s]\s*(?:private|public|protected|readonly|override|abstract)\s+$/, /^[\w$#]/],
  [/[(,]\s*$/, /^(?:private|public|protected|readonly)\s+[\w$]/],
  [/\bclass\s.*$/, /^implements\s/],
  [/\bimport\s+type\s+$|\bimport\b[^;]*[{,]\s*type\s+$/, /^[\w${*]/],
  [/\b(?:function\*?\s+[\w$]+|class\s+[\w$]+)$/, /^</],
  [/\bnew\s+[\w$.]+<[\w\s,.|[\]<>]+>\($/, /^\)/],
  [/(?:^|[=(,;])\s*$/, /^<[\w.[\]]+>\s*[\w$(]/],
  [/[\w$)\]]$/, /^!(?=[.;,()[\]]|\s*$|\s+[-+*/%<>&|?:=])/],
]

/** Whether the text stops being JavaScript at the offset because it is TypeScript. */
export function isTypeScriptAt(text: string, offset: number): boolean {
  const [before, after] = [text.slice(0, offset), text.slice(offset)]
  return forms.some(([left, right]) => left.test(before) && right.test(after))
}

/** What to do about a line that failed where TypeScript begins; undefined for any other. */
export function adviceOnTypeScript(
  { text, column }: FailedLine,
  missing?: string,
): string | undefined {
  if (missing !== undefined) {
    return primitiveTypes.test(missing)
      ? `${missing} is a type of TypeScript: leave it out`
      : undefined
  }
  if (!isTypeScriptAt(text, column - 1)) return undefined
  const plain = withoutTypes(text)
  if (plain === '') return 'this is TypeScript, and types do nothing here: leave it out'
  return plain !== undefined && isJavaScript(plain)
    ? `this is TypeScript; without its types: ${plain}`
    : 'this is TypeScript, and the shell takes JavaScript: leave the types out'
}

const modifiers = '(?:private|public|protected|readonly|override|abstract|declare)'

const removals: readonly (readonly [what: RegExp, by: string])[] = [
  [/^\s*(?:export\s+)?(?:declare\s+.*|interface\s.*|type\s+[\w$]+(?:<.*?>)?\s*=.*)$/s, ''],
  [/^\s*import\s+type\s.*$/s, ''],
  [/([{,]\s*)type\s+[\w$]+(?:\s+as\s+[\w$]+)?\s*,?\s*/g, '$1'],
  [/\b(?:const\s+)?enum\s+([\w$]+)\s*\{([^}]*)\}/, 'const $1 = {$2}'],
  [/\babstract\s+class\b/g, 'class'],
  [/\s+implements\s+[\w$.,\s<>]+?(?=\s*\{)/g, ''],
  [new RegExp(`([{;(,]\\s*)(?:${modifiers}\\s+)+(?=[\\w$#])`, 'g'), '$1'],
  [/\b(new\s+[\w$.]+|function\*?\s+[\w$]+|class\s+[\w$]+)<[^()]*?>(?=\s*[({])/g, '$1'],
  [/(^|[=(,]\s*)<[\w.[\]]+>(?=\s*[\w$(])/g, '$1'],
  [new RegExp(`\\s+(?:as|satisfies)\\s+(?:const\\b|${type})`, 'g'), ''],
  [
    new RegExp(
      `(\\b(?:let|const|var)\\s+(?:[\\w$]+|\\{[^{}]*\\}|\\[[^\\[\\]]*\\]))!?\\s*:\\s*${type}`,
      'g',
    ),
    '$1',
  ],
  [
    new RegExp(
      `([(,]\\s*(?:\\.{3})?(?:[\\w$]+|\\{[^{}]*\\}))\\??\\s*:\\s*${type}(?=\\s*[,)=])`,
      'g',
    ),
    '$1',
  ],
  [new RegExp(`\\)\\s*:\\s*${type}(?=\\s*(?:=>|\\{))`, 'g'), ')'],
  [new RegExp(`([{;]\\s*(?:static\\s+)?#?[\\w$]+)[?!]?\\s*:\\s*${type}(?=\\s*[=;}])`, 'g'), '$1'],
  [/([\w$)\]])!(?=[.;,()[\]]|\s*$|\s+[-+*/%<>&|?:=])/g, '$1'],
]

/** @returns The empty text when there was nothing but types. */
function withoutTypes(line: string): string {
  const strings: string[] = []
  // what stands in quotes is no type, but it may be one: 'a' | 'b'
  const masked = line.replaceAll(/(["'`])(?:\\.|(?!\1).)*\1/g, (string) => {
    strings.push(string)
    return `${mark}${strings.length - 1}${mark}`
  })
  const plain = removals.reduce((text, [what, by]) => text.replace(what, by), masked)
  const restored = plain.replaceAll(/\ue000(\d+)\ue000/g, (_, at) => strings[Number(at)] ?? '')
  const [, name = '', members] = /^const ([\w$]+) = \{([^}=]*)\}$/.exec(restored.trim()) ?? []
  return members !== undefined && /\benum\b/.test(line)
    ? enumAsObject(name, members)
    : restored.trim()
}

function enumAsObject(name: string, members: string): string {
  const names = members.split(',').map((one) => one.trim())
  const fields = names.filter((one) => one !== '').map((one) => `${one}: '${one}'`)
  return `const ${name} = { ${fields.join(', ')} }`
}

/** Compiles and does not run. */
function isJavaScript(text: string): boolean {
  try {
    new Script(`(async () => {${text.replace(/^\s*(?:import|export)\s.*$/, '')}\n})`)
    return true
  } catch {
    return false // the line alone is no JavaScript, it may be a part of more
  }
}

function wordsOf(words: string): string {
  return `(?:${words.replaceAll(' ', '|')})\\b`
}
