/** Where the program starts: parses the command line and runs one command. */
import { CommanderError } from 'commander'
import { createProgram } from './program.ts'
import { Session } from './session.ts'

/** Runs the command line; the process ends by itself, with its exit code set. */
export async function main(args: readonly string[]): Promise<void> {
  const session = new Session()
  session.listenToSignals()
  try {
    await createProgram(session).parseAsync([...args], { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    // commander has printed it; help and version are no errors, all else is wrong usage
    process.exitCode = error.exitCode === 0 ? 0 : 2
  }
}
