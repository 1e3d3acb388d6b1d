/** The version of sregistry, as package.json says. */
import { readFileSync } from 'node:fs'

let known: string | undefined

/** Read once, when first asked for. */
export function programVersion(): string {
  known ??= readVersion()
  return known
}

function readVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  const { version } = JSON.parse(text) as { readonly version: string }
  return version
}
