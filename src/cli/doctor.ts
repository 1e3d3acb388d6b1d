/** `doctor`: the ladder from settings to storage as a checklist that fills as it goes. */
import type { Command } from 'commander'
import type { Client } from '../client/client.ts'
import type { DoctorEvent, DoctorReport } from '../client/doctor-run.ts'
import { SregistryError } from '../errors/sregistry-error.ts'
import { formatRung } from '../terminal/doctor-checklist.ts'
import { LiveArea } from '../terminal/live-area.ts'
import { sanitise } from '../terminal/sanitise.ts'
import { printJson } from './print-json.ts'
import type { Session } from './session.ts'
import { withClient } from './with-client.ts'

type DoctorFlags = {
  readonly fix?: boolean
  readonly create?: boolean
  readonly account?: string
  readonly region?: string
  readonly registry?: string
  readonly profile?: string
}

export function addDoctorCommand(program: Command, session: Session): void {
  program
    .command('doctor')
    .description('find out why something does not work: settings, credentials, network, storage')
    .argument('[reference]', 'an image to look for, layers included')
    .option(
      '--fix',
      'keep the settings given here in the settings file; of the reference, what none tells',
    )
    .option('--create', 'create the repository of the reference when it is missing')
    .option('--account <id>', 'the registry’s account')
    .option('--region <region>', 'the registry’s region')
    .option('--registry <host>', 'another host for the registry')
    .option('--profile <name>', 'profile of the AWS configuration')
    .addHelpText('after', '\nExit code 1 when a rung failed.')
    .action((reference: string | undefined, flags: DoctorFlags) =>
      session.run(async () => {
        if (flags.create && reference === undefined) {
          throw new SregistryError('USAGE', '--create has no repository to create', {
            hint: 'name it: sregistry doctor --create NAME',
          })
        }
        await withClient(session, { reference, banner: false }, (client) =>
          examine(session, client.use(settingsOf(flags)), reference, flags),
        )
      }),
    )
}

function settingsOf(flags: DoctorFlags): Readonly<Record<string, string>> {
  const { account, region, registry, profile } = flags
  const given = Object.entries({ account, region, registry, profile })
  return Object.fromEntries(given.filter((pair): pair is [string, string] => pair[1] !== undefined))
}

async function examine(
  session: Session,
  client: Client,
  reference: string | undefined,
  flags: DoctorFlags,
): Promise<void> {
  const isJson = session.flags.json === true
  const checklist = new Checklist(session)
  try {
    const { fix = false, create = false } = flags
    const report = await client.doctor(reference, {
      fix,
      create,
      signal: session.signal,
      ...(isJson ? {} : { onProgress: (event) => checklist.show(event) }),
    })
    checklist.close()
    if (isJson) printJson(session, report)
    else session.stdout.line(summaryOf(report))
    if (!report.healthy) process.exitCode = 1
  } finally {
    checklist.close()
    await client.close()
  }
}

function summaryOf({ healthy, rungs }: DoctorReport): string {
  const failed = rungs.filter(({ status }) => status === 'failed').map(({ name }) => name)
  return healthy ? 'everything that was looked at works' : `failed: ${failed.join(', ')}`
}

/** The rungs that are known on stdout, and below them what is being looked at, while it is. */
class Checklist {
  readonly #session: Session
  readonly #area: LiveArea

  constructor(session: Session) {
    this.#session = session
    this.#area = new LiveArea({
      write: (text) => session.stderr.write(text),
      columns: () => session.style().width,
      lines: () => (session.style().redraws ? [`${session.style().glyphs.ellipsis} looking`] : []),
    })
    session.live = this.#area
  }

  show(event: DoctorEvent): void {
    const { stdout, flags } = this.#session
    if (flags.quiet) return
    this.#area.print(() => {
      if (event.type === 'line') stdout.line(`fixed: ${sanitise(event.text)}`)
      else for (const line of formatRung(event.rung, this.#style())) stdout.line(line)
    })
  }

  close(): void {
    this.#area.close()
    this.#session.live = undefined
  }

  #style() {
    const style = this.#session.outputStyle()
    // a pipe gets whole lines: nobody reads its width
    return process.stdout.isTTY ? style : { ...style, width: Number.MAX_SAFE_INTEGER }
  }
}
