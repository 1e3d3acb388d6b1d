/** The layer cache: what is in it, how large it is, and making room. */
import type { Command } from 'commander'
import { SregistryError } from '../errors/sregistry-error.ts'
import { layerCache } from '../storage/layer-cache.ts'
import { formatSize } from '../terminal/quantities.ts'
import { printJson } from './print-json.ts'
import type { Session } from './session.ts'

export function addCacheCommand(program: Command, session: Session): void {
  const cache = program.command('cache').description('the cache of packed layers')
  cache
    .command('ls')
    .description('list packed layers, longest unused first')
    .action(() => session.run(() => list(session)))
  cache
    .command('size')
    .description('print the size of the cache')
    .action(() => session.run(() => size(session)))
  cache
    .command('clean')
    .description('remove layers; those used within the last hour stay')
    .option('--older <age>', 'only those not used for this long: 12h, 30d')
    .option('--max-size <size>', 'only until the cache is no larger than this: 500M, 20G')
    .action((flags: { older?: string; maxSize?: string }) =>
      session.run(() => clean(session, flags)),
    )
}

async function list(session: Session): Promise<void> {
  const layers = await layerCache(session.settings.cache()).list()
  if (session.flags.json) {
    printJson(session, layers)
    return
  }
  for (const { path, sizeBytes } of layers) session.stdout.line(`${formatSize(sizeBytes)}\t${path}`)
}

async function size(session: Session): Promise<void> {
  const bytes = await layerCache(session.settings.cache()).sizeBytes()
  if (session.flags.json) printJson(session, { bytes })
  else session.stdout.line(formatSize(bytes))
}

async function clean(session: Session, flags: { older?: string; maxSize?: string }): Promise<void> {
  const olderMs = flags.older === undefined ? undefined : parseAge(flags.older)
  const maxBytes = flags.maxSize === undefined ? undefined : parseSize(flags.maxSize)
  const isBounded = olderMs !== undefined || maxBytes !== undefined
  const result = await layerCache(session.settings.cache()).clean({
    ...(olderMs === undefined ? {} : { olderMs }),
    ...(maxBytes === undefined ? {} : { maxBytes }),
    ...(isBounded ? {} : { olderMs: 0 }),
  })
  if (session.flags.json) {
    printJson(session, result)
    return
  }
  session.stdout.line(
    `removed ${result.removed.length} layers, ${formatSize(result.freedBytes)}; kept ${formatSize(result.keptBytes)}`,
  )
}

const ageUnits: Readonly<Record<string, number>> = { m: 60e3, h: 3600e3, d: 86_400e3, w: 604_800e3 }
const sizeUnits: Readonly<Record<string, number>> = {
  K: 2 ** 10,
  M: 2 ** 20,
  G: 2 ** 30,
  T: 2 ** 40,
}

/** `30d` in milliseconds. @throws {SregistryError} USAGE */
function parseAge(text: string): number {
  const [, amount, unit = ''] = /^(\d+)([mhdw])$/.exec(text) ?? []
  return scaled(text, amount, ageUnits[unit], 'an age is a number and m, h, d or w: 12h, 30d')
}

/** `20G` in bytes. @throws {SregistryError} USAGE */
function parseSize(text: string): number {
  const [, amount, unit = ''] = /^(\d+)([KMGT])i?B?$/i.exec(text) ?? []
  return scaled(
    text,
    amount,
    sizeUnits[unit.toUpperCase()],
    'a size is a number and K, M, G or T: 500M, 20G',
  )
}

function scaled(
  text: string,
  amount: string | undefined,
  unit: number | undefined,
  hint: string,
): number {
  if (amount !== undefined && unit !== undefined) return Number(amount) * unit
  throw new SregistryError('USAGE', `"${text.slice(0, 40)}" is no amount`, { hint })
}
