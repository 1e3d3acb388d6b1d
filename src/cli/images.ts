/** The commands of the local catalogue: images, get, inspect, add, mv, rename, rm, labels. */
import type { Command } from 'commander'
import type { Client } from '../client/client.ts'
import type { Container } from '../client/container.ts'
import { formatAge, formatSize } from '../terminal/quantities.ts'
import { sanitise } from '../terminal/sanitise.ts'
import { printJson } from './print-json.ts'
import type { Session } from './session.ts'
import { withClient } from './with-client.ts'

type Use = (client: Client) => Promise<void>

/** These commands print their result and nothing else: scripts read it. */
function local(session: Session, use: Use): Promise<void> {
  return session.run(() => withClient(session, { banner: false }, use))
}

export function addImageCommands(program: Command, session: Session): void {
  addLookCommands(program, session)
  addChangeCommands(program, session)
}

function addLookCommands(program: Command, session: Session): void {
  program
    .command('images')
    .description('list the images on this machine')
    .argument('[query]', 'part of the name, or a pattern with * and ?')
    .action((query?: string) =>
      local(session, async (client) => listImages(session, await client.images(query))),
    )
  program
    .command('get')
    .description('print the path of an image')
    .argument('<name>')
    .action((name: string) =>
      local(session, async (client) => printImage(session, await client.get(name))),
    )
  program
    .command('inspect')
    .description('what is known of an image, and what it says of itself, as JSON')
    .argument('<name>')
    .action((name: string) =>
      local(session, async (client) => printJson(session, await client.inspect(name))),
    )
  program
    .command('labels')
    .description('count the labels of the images on this machine')
    .argument('[query]', 'part of a key or value')
    .action((query?: string) => local(session, (client) => listLabels(session, client, query)))
}

function addChangeCommands(program: Command, session: Session): void {
  program
    .command('add')
    .description('take an image file into storage and catalogue (moves it)')
    .argument('<path>')
    .requiredOption('--name <name>', 'COLLECTION/NAME[:TAG]')
    .option('--copy', 'leave the file where it is')
    .action((path: string, { name, copy }: { name: string; copy?: boolean }) =>
      local(session, async (client) => {
        const image = await client.add(path, name, { copy: copy ?? false })
        report(session, image, `[container][new] ${image.name}:${image.tag}`)
      }),
    )
  program
    .command('mv')
    .description('move the file of an image')
    .argument('<name>')
    .argument('<path>', 'a directory or a new path')
    .action((name: string, path: string) =>
      local(session, async (client) => {
        const image = await client.mv(name, path)
        report(session, image, `[move] ${name} => ${image.path}`)
      }),
    )
  program
    .command('rename')
    .description('give the file of an image another name')
    .argument('<name>')
    .argument('<to>')
    .action((name: string, to: string) =>
      local(session, async (client) => {
        const image = await client.rename(name, to)
        report(session, image, `[rename] ${name} => ${image.path}`)
      }),
    )
  program
    .command('rm')
    .description('remove an image and its record')
    .argument('<name>')
    .action((name: string) =>
      local(session, async (client) => {
        const image = await client.rm(name)
        report(session, image, `[rm] ${image.name}:${image.tag}`)
      }),
    )
}

async function listImages(session: Session, images: readonly Container[]): Promise<void> {
  if (session.flags.json) {
    printJson(session, images)
    return
  }
  if (session.flags.quiet) {
    for (const image of images) session.stdout.line(image.path)
    return
  }
  const rows = images.map((image) => [
    image.client,
    `${image.name}:${image.tag}`,
    image.digest?.slice(0, 'sha256:'.length + 12) ?? '',
    formatSize(image.size),
    formatAge(new Date(image.pulled), Date.now()),
    image.path,
  ])
  const columns = [
    { header: 'CLIENT', rank: 2 },
    { header: 'IMAGE', minWidth: 16, isMain: true },
    { header: 'DIGEST', rank: 3 },
    { header: 'SIZE', align: 'right' as const },
    { header: 'PULLED', rank: 1 },
    { header: 'PATH', minWidth: 16, cutAt: 'start' as const, rank: 4 },
  ]
  // a pipe gets whole paths: nobody reads its width
  const style = session.outputStyle()
  const width = process.stdout.isTTY ? style.width : Number.MAX_SAFE_INTEGER
  const { formatTable } = await import('../terminal/table.ts')
  session.stdout.line(formatTable({ columns, rows }, { ...style, width }))
}

async function listLabels(session: Session, client: Client, query?: string): Promise<void> {
  const labels = await client.labels(query)
  if (session.flags.json) {
    printJson(session, labels)
    return
  }
  for (const { key, value, count } of labels) {
    session.stdout.line(`${count}\t${sanitise(key)}\t${sanitise(value)}`)
  }
}

function printImage(session: Session, image: Container): void {
  if (session.flags.json) printJson(session, image)
  else session.stdout.line(image.path)
}

function report(session: Session, image: Container, line: string): void {
  if (session.flags.json) printJson(session, image)
  else session.stdout.line(session.flags.quiet ? image.path : line)
}
