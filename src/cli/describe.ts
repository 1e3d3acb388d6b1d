/** `describe`: all that the registry knows of a repository or an image. */
import type { Command } from 'commander'
import type { Description } from '../client/registry-facts.ts'
import { formatTable } from '../terminal/table.ts'
import { printFacts, textOf } from './facts.ts'
import { printJson } from './print-json.ts'
import {
  browseOptions,
  type RegistryIdFlag,
  registryIdFlag,
  registryIdText,
} from './registry-id.ts'
import type { Session } from './session.ts'
import { withClient } from './with-client.ts'

export function addDescribeCommand(program: Command, session: Session): void {
  program
    .command('describe')
    .description('what the registry knows of a repository, or of an image (with a tag or digest)')
    .argument('<reference>')
    .option(registryIdFlag, registryIdText)
    .action((reference: string, flags: RegistryIdFlag) =>
      session.run(() =>
        withClient(session, { reference, banner: false }, async (client) => {
          print(session, await client.describe(reference, browseOptions(session, flags)))
        }),
      ),
    )
}

function print(session: Session, description: Description): void {
  if (session.flags.json) {
    printJson(session, description)
    return
  }
  const { images, ...facts } = description
  printFacts(session, facts)
  if (Array.isArray(images) && images.length > 0) printImages(session, images)
}

const columns = [
  { header: 'DIGEST', name: 'digest', minWidth: 19 },
  { header: 'SIZE', name: 'sizeBytes', align: 'right' as const, rank: 1 },
  { header: 'PUSHED', name: 'pushedAt', rank: 2 },
  { header: 'TAGS', name: 'tags', minWidth: 12 },
]

function printImages(session: Session, images: readonly Description[]): void {
  const rows = images.map((image) => columns.map(({ name }) => textOf(name, image[name])))
  const style = session.outputStyle()
  // a pipe gets whole names: nobody reads its width
  const width = process.stdout.isTTY ? style.width : Number.MAX_SAFE_INTEGER
  session.stdout.line('')
  session.stdout.line(formatTable({ columns, rows }, { ...style, width }))
}
