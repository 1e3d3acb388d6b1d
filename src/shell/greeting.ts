/** What a session begins with: the banner, and what a newcomer or a returning user should know. */
import { formatBanner } from '../terminal/banner.ts'
import { terminalStyle } from '../terminal/terminal-style.ts'
import type { ShellOptions } from './shell-options.ts'

/** @param isFirst Whether there is no history yet. */
export function greeting({ client, stdout, env }: ShellOptions, isFirst: boolean): string {
  const { colours, width } = terminalStyle(stdout, env)
  const banner = formatBanner({ client: client.name, database: client.database })
  const lines = isFirst ? firstSteps.flatMap((step) => lesson(step, width)) : [reminder]
  return `${banner}\n${colours.dim(lines.join('\n'))}\n`
}

const reminder = '.help for commands, help(client) for the API'

type Step = readonly [example: string, words: readonly string[]]

const firstSteps: readonly Step[] = [
  ["client.pull('library/busybox')", ['makes an image;', 'Tab completes,', 'Ctrl-C cancels']],
  ['client.repositories()', ['what the registry has;', 'client.pull? explains']],
  ['.doctor', ['why something fails;', '.help for the rest']],
]

/** One line; in a narrow terminal more of them, broken by hand: what wraps words is not loaded before the prompt. */
function lesson([example, words]: Step, width: number): readonly string[] {
  const line = `  ${example.padEnd(30)}  ${words.join(' ')}`
  if (line.length < width) return [line]
  const lines = [`  ${example}`]
  for (const part of words) {
    const longer = `${lines.at(-1)} ${part}`
    if (lines.length > 1 && longer.length < width) lines[lines.length - 1] = longer
    else lines.push(`      ${part}`)
  }
  return lines
}
