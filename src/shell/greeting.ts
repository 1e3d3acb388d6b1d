/** What a session begins with: the banner, and what a newcomer or a returning user should know. */
import { formatBanner } from '../terminal/banner.ts'
import { terminalStyle } from '../terminal/terminal-style.ts'
import type { ShellOptions } from './shell-options.ts'

/** @param isFirst Whether there is no history yet. */
export function greeting({ client, stdout, env }: ShellOptions, isFirst: boolean): string {
  const { colours } = terminalStyle(stdout, env)
  const banner = formatBanner({ client: client.name, database: client.database })
  return `${banner}\n${colours.dim(isFirst ? firstSteps : reminder)}\n`
}

const reminder = '.help for commands, help(client) for the API'

const firstSteps = `  client.pull('library/busybox')  makes an image; Tab completes, Ctrl-C cancels
  client.repositories()           what the registry has; client.pull? explains
  .doctor                         why something fails; .help for the rest`
