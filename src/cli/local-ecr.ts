/** `sregistry local-ecr`: an ECR on this machine, until a signal ends it. */
import { once } from 'node:events'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { SregistryError } from '../errors/sregistry-error.ts'
import type { Session } from './session.ts'

type LocalEcrFlags = { readonly port: string; readonly root?: string; readonly seed?: boolean }

export function addLocalEcrCommand(program: Command, session: Session): void {
  program
    .command('local-ecr')
    .description('serve an ECR on this machine, for demos, tests and CI')
    .option('--port <port>', 'of the registry; 0 takes any free one', '0')
    .option('--root <directory>', 'where it keeps its images (default: ./local-ecr)')
    .option('--seed', 'fill it with images made from programs of this machine')
    .addHelpText(
      'after',
      '\nIt prints the settings that reach it:\n  sregistry local-ecr --port 0 --root DIR --seed > env.sh &\n  . ./env.sh',
    )
    .action((flags: LocalEcrFlags) => session.run(() => serve(session, flags)))
}

async function serve(session: Session, flags: LocalEcrFlags): Promise<void> {
  const { startLocalEcr } = await import('../local-ecr/local-ecr.ts')
  const { exportLines } = await import('../local-ecr/environment.ts')
  const ecr = await startLocalEcr({
    root: resolve(flags.root ?? 'local-ecr'),
    port: parsePort(flags.port),
    seed: flags.seed ?? false,
  })
  try {
    session.stdout.write(exportLines(ecr.environment))
    await session.stdout.flush()
    session.stderr.line(`local ECR on ${ecr.registryHost}; Ctrl-C ends it`)
    if (!session.signal.aborted) await once(session.signal, 'abort')
  } finally {
    await ecr.close()
  }
}

/** @throws {SregistryError} USAGE */
function parsePort(text: string): number {
  const port = Number(text)
  if (/^\d+$/.test(text) && port <= 65_535) return port
  throw new SregistryError('USAGE', `"${text.slice(0, 40)}" is no port`, {
    hint: '0 to 65535; 0 takes any free one',
  })
}
