/** `sregistry shell`: the interactive shell, and scripts of it. */
import type { Command } from 'commander'
import type { Session } from './session.ts'

/** As commander parses the flags. */
type ShellCommandFlags = {
  readonly eval?: string[]
  readonly check?: boolean
  readonly keepGoing?: boolean
  readonly stay?: boolean
  readonly rc: boolean
}

const clientNames = ['aws', 'docker', 'nvidia', 'ecr-public']

export function addShellCommand(program: Command, session: Session): void {
  program
    .command('shell')
    .description('the interactive shell; with -e, a file or piped input it runs a script')
    .argument('[client-or-file...]', 'the client to begin with, or scripts to run (- is stdin)')
    .option('-e, --eval <code...>', 'run this code')
    .option('--check', 'compare saved sessions with what happens now')
    .option('--keep-going', 'go on after a failure')
    .option('--stay', 'open the prompt after the scripts')
    .option('--norc', 'do not run the rc file')
    .action((names: string[], flags: ShellCommandFlags & { norc?: boolean }) =>
      session.run(() => runShell(session, names, flags)),
    )
}

/** Opens the shell on the client that names, flags and settings choose. */
export async function runShell(
  session: Session,
  names: readonly string[],
  flags: Partial<ShellCommandFlags> & { readonly norc?: boolean },
): Promise<void> {
  const [{ startShell }, { getClient }, { Container }] = await Promise.all([
    import('../shell/start.ts'),
    import('../client/get-client.ts'),
    import('../client/container.ts'),
  ])
  const { settings, env } = session
  const [first, ...rest] = names
  const named = first !== undefined && clientNames.includes(first) ? first : undefined
  const files = named === undefined ? names : rest
  const client = getClient({ settings, env, client: named ?? session.flags.client })
  session.ignoreSignals()
  try {
    process.exitCode = await startShell({
      client,
      createClient: (name, changes) => {
        const base = name === undefined ? client : getClient({ settings, env, client: name })
        return Object.keys(changes).length === 0 ? base : base.use(changes)
      },
      stdin: process.stdin,
      stdout: process.stdout,
      stderr: process.stderr,
      env,
      flags: {
        ...(flags.eval === undefined ? {} : { code: flags.eval }),
        ...(files.length === 0 ? {} : { files }),
        check: flags.check ?? false,
        keepGoing: flags.keepGoing ?? false,
        stay: flags.stay ?? false,
        norc: flags.norc ?? false,
        quiet: session.flags.quiet ?? false,
        json: session.flags.json ?? false,
        debug: session.flags.debug ?? false,
      },
      globals: { Container },
    })
  } finally {
    await client.close()
  }
}
