/** The plainest command line of all, `sregistry pull REF…`, read without commander. */
import type { GlobalFlags } from './session.ts'

export type PullLine = {
  readonly references: readonly string[]
  readonly flags: GlobalFlags
}

const switches: { readonly [flag: string]: 'quiet' | 'json' | 'debug' | undefined } = {
  '-q': 'quiet',
  '--quiet': 'quiet',
  '--json': 'json',
  '-d': 'debug',
  '--debug': 'debug',
}

/**
 * Loading commander takes 13 ms, a sixth of a pull that has nothing to do.
 * @returns Undefined for every other command line, wrong ones too: commander tells what is wrong.
 */
export function readPullLine(args: readonly string[]): PullLine | undefined {
  const flags: { -readonly [name in keyof GlobalFlags]: GlobalFlags[name] } = {}
  const words: string[] = []
  for (const arg of args) {
    const flag = switches[arg]
    if (flag !== undefined) flags[flag] = true
    else if (arg.startsWith('-')) return undefined
    else words.push(arg)
  }
  const [command, ...references] = words
  if (command !== 'pull' || references.length === 0) return undefined
  return { references, flags }
}
