import type { Command } from 'commander'
import type { PullOptions } from '../client/call-options.ts'
import type { Client } from '../client/client.ts'
import type { Container } from '../client/container.ts'
import { isSregistryError, SregistryError } from '../errors/sregistry-error.ts'
import { PullReport } from './pull-report.ts'
import type { Session } from './session.ts'
import { withClient } from './with-client.ts'

/** As commander parses the flags. */
type PullFlags = {
  readonly name?: string
  readonly cache: boolean
  readonly force?: boolean
  readonly platform?: string
  readonly format?: 'squashfs' | 'sif'
  readonly compression?: string
  readonly allRoot?: boolean
  readonly fixPerms?: boolean
}

export function addPullCommand(program: Command, session: Session): void {
  program
    .command('pull')
    .description('make Singularity images of container images')
    .argument('<reference...>', '[scheme://][registry/]repository[:tag][@digest]')
    .option('--name <file>', 'file name of the image; an ending .sif makes a SIF')
    .option('--no-cache', 'into the working directory: no storage, catalogue or layer cache')
    .option('-f, --force', 'replace an image that has the name')
    .option('--platform <platform>', 'such as linux/arm64; default: this machine’s')
    .addOption(
      program.createOption('--format <format>', 'form of the file').choices(['squashfs', 'sif']),
    )
    .option('--compression <kind>', 'gzip[:1-9], zstd[:1-19] or none (default: gzip:5)')
    .option('--all-root', 'give every file to root')
    .option('--fix-perms', 'directories u+rwx, files u+rw, no setuid, setgid and sticky bits')
    .addHelpText(
      'after',
      '\nExample: sregistry pull --name hard.simg --no-cache aws://library/busybox',
    )
    .action((references: string[], flags: PullFlags) =>
      session.run(() => pull(session, references, flags)),
    )
}

export async function pull(
  session: Session,
  references: readonly string[],
  flags: PullFlags,
): Promise<void> {
  if (flags.name !== undefined && references.length > 1) {
    throw new SregistryError('USAGE', 'one name cannot be given to several images', {
      hint: 'pull them one by one, each with its --name',
    })
  }
  await withClient(session, { reference: references[0], banner: true }, async (client) => {
    const images: Container[] = []
    for (const reference of references) {
      const image = await pullOrAsk(session, client, reference, optionsOf(flags))
      images.push(image)
      if (session.flags.quiet && !session.flags.json) session.stdout.line(image.path)
    }
    if (!session.flags.json) return
    const { printJson } = await import('./print-json.ts')
    printJson(session, images.length === 1 ? images[0] : images)
  })
}

function optionsOf(flags: PullFlags): PullOptions {
  const { name, platform, format, compression } = flags
  return {
    cache: flags.cache,
    ...(name === undefined ? {} : { name }),
    ...(platform === undefined ? {} : { platform }),
    ...(format === undefined ? {} : { format }),
    ...(compression === undefined ? {} : { compression }),
    force: flags.force ?? false,
    allRoot: flags.allRoot ?? false,
    fixPermissions: flags.fixPerms ?? false,
  }
}

/** On a terminal, an image that is in the way is asked about instead of refused. */
async function pullOrAsk(
  session: Session,
  client: Client,
  reference: string,
  options: PullOptions,
): Promise<Container> {
  try {
    return await pullShown(session, client, reference, options)
  } catch (error) {
    const mayAsk = process.stdin.isTTY && process.stderr.isTTY && !options.force
    if (!mayAsk || !isSregistryError(error) || error.code !== 'IMAGE_EXISTS') throw error
    const { askYesNo } = await import('./ask.ts')
    if (!(await askYesNo(`${error.message}. Replace it?`, session.signal))) throw error
    return pullShown(session, client, reference, { ...options, force: true })
  }
}

async function pullShown(
  session: Session,
  client: Client,
  reference: string,
  options: PullOptions,
): Promise<Container> {
  const report = new PullReport(session)
  try {
    const { onProgress } = report
    return await client.pull(reference, { ...options, signal: session.signal, onProgress })
  } finally {
    report.close()
  }
}
