/** `repositories` and `create`: what the registry has, and a new one. */
import type { Command } from 'commander'
import { sanitise } from '../terminal/sanitise.ts'
import { printJson } from './print-json.ts'
import {
  browseOptions,
  type RegistryIdFlag,
  registryIdFlag,
  registryIdText,
} from './registry-id.ts'
import type { Session } from './session.ts'
import { withClient } from './with-client.ts'

export function addRepositoryCommands(program: Command, session: Session): void {
  program
    .command('repositories')
    .description('list the repositories of the registry')
    .argument('[pattern]', 'part of the name, or a pattern with * and ?')
    .option(registryIdFlag, registryIdText)
    .action((pattern: string | undefined, flags: RegistryIdFlag) =>
      session.run(() => list(session, pattern, flags)),
    )
  program
    .command('create')
    .description('create a repository')
    .argument('<repository>')
    .option(registryIdFlag, registryIdText)
    .action((repository: string, flags: RegistryIdFlag) =>
      session.run(() => create(session, repository, flags)),
    )
}

async function list(
  session: Session,
  pattern: string | undefined,
  flags: RegistryIdFlag,
): Promise<void> {
  await withClient(session, { banner: false }, async (client) => {
    const found = client.repositories(pattern, browseOptions(session, flags))
    if (session.flags.json) printJson(session, await found)
    else for await (const { name } of found) session.stdout.line(sanitise(name))
  })
}

async function create(session: Session, name: string, flags: RegistryIdFlag): Promise<void> {
  await withClient(session, { reference: name, banner: false }, async (client) => {
    const made = await client.createRepository(name, browseOptions(session, flags))
    if (session.flags.json) printJson(session, made)
    else
      session.stdout.line(`[repository][${made['isNew'] === true ? 'new' : 'same'}] ${made['uri']}`)
  })
}
