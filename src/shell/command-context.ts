/** What dot-commands and scripts work on. What belongs to a prompt is missing in scripts. */
import type { Environment } from './history.ts'
import type { Outcome, Session, StatementSource } from './session.ts'

export type ScriptResult = {
  readonly failures: number
  readonly isCancelled: boolean
}

export type ScriptNames = {
  /** What messages call it: `tour.js`. */
  readonly label: string
  /** What stack traces call it; a path, for `import('./x.js')`. Default: the label. */
  readonly filename?: string
}

export type CommandContext = {
  readonly session: Session
  readonly env: Environment
  readonly runStatement: (source: StatementSource) => Promise<Outcome>
  /** Runs a script inside this session, for `.load` and `.edit`. */
  readonly runScript: (text: string, names: ScriptNames) => Promise<ScriptResult>
  readonly prompt?: {
    /** Statements, the oldest first. */
    readonly history: () => readonly string[]
    readonly remember: (statement: string) => void
    readonly clearScreen: () => void
    /** Gives the terminal to another program until the promise settles. */
    readonly lend: <Result>(run: () => Promise<Result>) => Promise<Result>
  }
}
