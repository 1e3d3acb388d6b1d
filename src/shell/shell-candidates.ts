/** What Tab offers in a `!cmd` line: programs, files and variables, quoted as the shell wants them. */
import { readdir } from 'node:fs/promises'
import { delimiter } from 'node:path'
import { shellGlobals } from './api-help.ts'
import { fileNames } from './file-names.ts'
import type { ShellWord } from './shell-line.ts'

/** What the command will see: the environment, and the last image as `image`. */
export type ShellVariables = { readonly [name: string]: string | undefined }

export async function shellCandidates(
  { isProgram, quote, prefix }: ShellWord,
  variables: ShellVariables,
): Promise<readonly string[]> {
  const variable = quote === "'" ? null : /^(.*?(?<!\\)\$)(\{?)\w*$/.exec(prefix)
  if (variable !== null) {
    const [, before = '', brace = ''] = variable
    const names = Object.keys(variables).filter((name) => /^\w+$/.test(name))
    return names.map((name) => `${before}${brace}${name}${brace === '' ? '' : '}'}`)
  }
  if (isProgram && !/[/~]/.test(prefix)) return prefix === '' ? [] : programs(prefix, variables)
  const typed = prefix.slice(0, prefix.lastIndexOf('/') + 1)
  const start = plainText(typed, quote, variables)
  const names = await fileNames(start + plainText(prefix.slice(typed.length), quote, variables))
  return names.map((name) => typed + quoted(name.slice(start.length), quote))
}

/** `!client` negates, so the names at hand belong there, too. */
async function programs(prefix: string, { PATH = '' }: ShellVariables): Promise<readonly string[]> {
  const folders = PATH.split(delimiter).filter((folder) => folder !== '')
  const lists = await Promise.all(folders.map((folder) => readdir(folder).catch(() => [])))
  return [...Object.keys(shellGlobals), ...lists.flat()].filter((name) => name.startsWith(prefix))
}

/** A word as the shell reads it. */
function plainText(text: string, quote: ShellWord['quote'], variables: ShellVariables): string {
  if (quote === "'") return text
  return text.replace(
    /\\(.)|\$\{(\w+)\}|\$(\w+)/g,
    (_, escaped: string | undefined, braced: string | undefined, bare: string | undefined) =>
      escaped ?? variables[braced ?? bare ?? ''] ?? '',
  )
}

/** A file's name as it must be typed. */
function quoted(name: string, quote: ShellWord['quote']): string {
  if (quote === "'") return name.replaceAll("'", `'\\''`)
  const special = quote === '"' ? /["\\$`]/g : /[\s'"\\$`!*?()[\]{}|&;<>#~^=]/g
  return name.replace(special, (character) => `\\${character}`)
}
