/** What the shell is started with. */
import type { Environment } from './history.ts'
import type { TerminalInput } from './input-gate.ts'
import type { OutputModes } from './output.ts'
import type { Questions } from './questions.ts'
import type { TerminalOutput } from './screen.ts'
import type { ClientToOpen, CreateClient, ShellClient } from './shell-client.ts'

export type ShellFlags = {
  /** `-e CODE`, each in turn. */
  readonly code?: readonly string[]
  /** `FILE…`; `-` is stdin. */
  readonly files?: readonly string[]
  /** `--stay`: a prompt after the scripts. Default false. */
  readonly stay?: boolean
  /** `--keep-going`: run what comes after a failure. Default false. */
  readonly keepGoing?: boolean
  /** `--norc`. Default false. */
  readonly norc?: boolean
  readonly quiet?: boolean
  readonly json?: boolean
  readonly debug?: boolean
}

export type ShellOptions = {
  /** With `open`, nothing of the client is loaded before the prompt. */
  readonly client: ShellClient | ClientToOpen
  readonly createClient: CreateClient
  readonly stdin: TerminalInput
  readonly stdout: TerminalOutput
  readonly stderr: TerminalOutput
  readonly env: Environment
  readonly flags: ShellFlags
  /** More names at hand, such as `Container`. Default none. */
  readonly globals?: { readonly [name: string]: unknown }
  /** What clients ask the user; the prompt answers. Default: they ask nothing. */
  readonly questions?: Questions
  /** Removes what calls in flight have begun on disk, when a signal ends the process. */
  readonly cleanUp?: () => void
  /** Called when the prompt is left or a script interrupted: the process should end, whatever timers there are. */
  readonly onLeft?: () => void
  /** Default: the user's home directory. */
  readonly home?: string
}

/** The modes that the flags ask for; `.json`, `.quiet` and `.time` change them later. */
export function outputModes({ json, quiet, debug }: ShellFlags): OutputModes {
  return { json: json === true, quiet: quiet === true, debug: debug === true, time: false }
}
