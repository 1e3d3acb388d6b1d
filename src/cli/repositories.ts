/** `repositories` and `create`: what the registry has, and a new one. */
import type { Command } from 'commander'
import { sanitise } from '../terminal/sanitise.ts'
import { printJson } from './print-json.ts'
import type { Session } from './session.ts'
import { withClient } from './with-client.ts'

type RegistryFlag = { readonly registryId?: string }

export function addRepositoryCommands(program: Command, session: Session): void {
  program
    .command('repositories')
    .description('list the repositories of the registry')
    .argument('[pattern]', 'part of the name, or a pattern with * and ?')
    .option('--registry-id <account>', 'the account that owns the registry')
    .action((pattern: string | undefined, flags: RegistryFlag) =>
      session.run(() => list(session, pattern, flags)),
    )
  program
    .command('create')
    .description('create a repository')
    .argument('<repository>')
    .action((repository: string) => session.run(() => create(session, repository)))
}

async function list(
  session: Session,
  pattern: string | undefined,
  flags: RegistryFlag,
): Promise<void> {
  await withClient(session, { banner: false }, async (client) => {
    const { registryId } = flags
    const found = client.repositories(pattern, {
      signal: session.signal,
      ...(registryId === undefined ? {} : { registryId }),
    })
    if (session.flags.json) printJson(session, await found)
    else for await (const { name } of found) session.stdout.line(sanitise(name))
  })
}

async function create(session: Session, name: string): Promise<void> {
  await withClient(session, { reference: name, banner: false }, async (client) => {
    const made = await client.createRepository(name, { signal: session.signal })
    if (session.flags.json) printJson(session, made)
    else
      session.stdout.line(`[repository][${made['isNew'] === true ? 'new' : 'same'}] ${made['uri']}`)
  })
}
