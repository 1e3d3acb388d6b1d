/** Scripts in other languages: what JavaScript says of their first line helps nobody. */
import { basename, extname } from 'node:path'
import { SregistryError } from '../errors/sregistry-error.ts'

type Foreign = { readonly language: string; readonly hint: (name: string) => string }

const typeScript: Foreign = {
  language: 'TypeScript',
  hint: (name) =>
    `take the types out first: npx tsc --module nodenext ${name} makes a file of JavaScript`,
}

const foreign: { readonly [extension: string]: Foreign } = {
  '.ts': typeScript,
  '.mts': typeScript,
  '.cts': typeScript,
  '.tsx': typeScript,
  '.py': { language: 'Python', hint: () => '.help pull and .help show the calls in JavaScript' },
  '.sh': { language: 'a script of another shell', hint: (name) => `run it there: sh ${name}` },
}

/** @throws {SregistryError} UNSUPPORTED for a file whose name says that it is no JavaScript. */
export function checkScriptName(path: string): void {
  const name = basename(path)
  const found = foreign[extname(name).toLowerCase()]
  if (found === undefined) return
  throw new SregistryError(
    'UNSUPPORTED',
    `${name} is ${found.language}; the shell runs JavaScript`,
    {
      hint: found.hint(name),
    },
  )
}
