/** The commands that look into a registry before pulling: tags, manifest, layers, search. */
import type { Command } from 'commander'
import { formatSize } from '../terminal/quantities.ts'
import { sanitise } from '../terminal/sanitise.ts'
import { formatTable } from '../terminal/table.ts'
import { printJson } from './print-json.ts'
import {
  browseOptions,
  type RegistryIdFlag,
  registryIdFlag,
  registryIdText,
} from './registry-id.ts'
import type { Session } from './session.ts'
import { withClient } from './with-client.ts'

export function addRemoteCommands(program: Command, session: Session): void {
  addTagCommands(program, session)
  program
    .command('manifest')
    .description('print the manifest of an image')
    .argument('<reference>')
    .option('--platform <platform>', 'such as linux/arm64; default: this machine’s')
    .action((reference: string, flags: { platform?: string }) =>
      session.run(() =>
        withClient(session, { reference, banner: false }, async (client) => {
          printJson(session, await client.manifest(reference, { ...flags, signal: session.signal }))
        }),
      ),
    )
  program
    .command('layers')
    .description('list the layers of an image')
    .argument('<reference>')
    .option('--platform <platform>', 'such as linux/arm64; default: this machine’s')
    .action((reference: string, flags: { platform?: string }) =>
      session.run(() => listLayers(session, reference, flags)),
    )
}

function addTagCommands(program: Command, session: Session): void {
  program
    .command('tags')
    .description('list the tags of a repository')
    .argument('<repository>')
    .option(registryIdFlag, registryIdText)
    .action((repository: string, flags: RegistryIdFlag) =>
      session.run(() =>
        withClient(session, { reference: repository, banner: false }, async (client) => {
          const tags = client.tags(repository, browseOptions(session, flags))
          if (session.flags.json) printJson(session, await tags)
          else for await (const tag of tags) session.stdout.line(sanitise(tag))
        }),
      ),
    )
  program
    .command('search')
    .description('find remote images by part of the name, or a pattern with * and ?')
    .argument('[query]')
    .option(registryIdFlag, registryIdText)
    .action((query: string | undefined, flags: RegistryIdFlag) =>
      session.run(() =>
        withClient(session, { banner: false }, async (client) => {
          const found = client.search(query, browseOptions(session, flags))
          if (session.flags.json) printJson(session, await found)
          else for await (const image of found) session.stdout.line(sanitise(image.uri))
        }),
      ),
    )
}

async function listLayers(
  session: Session,
  reference: string,
  flags: { readonly platform?: string },
): Promise<void> {
  await withClient(session, { reference, banner: false }, async (client) => {
    const layers = await client.layers(reference, { ...flags, signal: session.signal })
    if (session.flags.json) {
      printJson(session, layers)
      return
    }
    const rows = layers.map(({ digest, size, mediaType }) => [digest, formatSize(size), mediaType])
    const columns = [
      { header: 'DIGEST' },
      { header: 'SIZE', align: 'right' as const },
      { header: 'TYPE' },
    ]
    const width = Number.MAX_SAFE_INTEGER
    session.stdout.line(formatTable({ columns, rows }, { ...session.outputStyle(), width }))
  })
}
