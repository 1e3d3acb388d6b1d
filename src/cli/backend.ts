/** `backend`: the clients and their settings in `~/.sregistry`, with the ancestor's words. */
import type { Command } from 'commander'
import { SregistryError } from '../errors/sregistry-error.ts'
import {
  activateBackend,
  addBackendSetting,
  backendStatus,
  deactivateBackend,
  deleteBackend,
  listBackends,
  removeBackendSetting,
  type SettingsDocument,
  shownBackendSection,
} from '../settings/backend-settings.ts'
import { isSecretName, maskSecret } from '../settings/setting-table.ts'
import { updateSettingsFile } from '../settings/settings-file-update.ts'
import { sanitise } from '../terminal/sanitise.ts'
import { formatTable } from '../terminal/table.ts'
import { printJson } from './print-json.ts'
import type { Session } from './session.ts'

export function addBackendCommand(program: Command, session: Session): void {
  const backend = program
    .command('backend')
    .description('clients and their settings in the settings file')
  addLookCommands(backend, session)
  addSettingCommands(backend, session)
  addClientCommands(backend, session)
}

function addLookCommands(backend: Command, session: Session): void {
  backend
    .command('ls')
    .description('list the clients, or the settings of one')
    .argument('[backend]')
    .action((name?: string) => session.run(async () => list(session, name)))
  backend
    .command('status')
    .description('the active client, and every setting with its value and source')
    .action(() => session.run(async () => status(session)))
}

function addSettingCommands(backend: Command, session: Session): void {
  backend
    .command('add')
    .description('keep a setting of a client')
    .argument('<backend>')
    .argument('<variable>', 'whole or short: SREGISTRY_AWS_ID, AWS_ID or ID')
    .argument('<value>', '- reads it from stdin, so that a secret stays out of the shell’s history')
    .option('-f, --force', 'replace the value that it has')
    .action((name: string, variable: string, value: string, { force }: { force?: boolean }) =>
      session.run(() => add(session, { name, variable, value, force: force ?? false })),
    )
  backend
    .command('rm')
    .alias('remove')
    .description('forget a setting of a client')
    .argument('<backend>')
    .argument('<variable>')
    .action((name: string, variable: string) =>
      session.run(async () => {
        let removed = ''
        await change(session, (document) => {
          const changed = removeBackendSetting(document, name, variable)
          removed = changed.variable
          return changed.document
        })
        report(session, { removed, backend: name }, `[remove]\n${removed}`)
      }),
    )
}

function addClientCommands(backend: Command, session: Session): void {
  backend
    .command('activate')
    .description('make a client the one that is used')
    .argument('<backend>')
    .action((name: string) =>
      session.run(async () => {
        await change(session, (document) => activateBackend(document, name))
        report(session, { activated: name }, `[activate] ${name}`)
      }),
    )
  backend
    .command('deactivate')
    .description('use the default client again')
    .action(() =>
      session.run(async () => {
        await change(session, deactivateBackend)
        report(session, { activated: null }, '[deactivated]')
      }),
    )
  backend
    .command('delete')
    .description('forget all settings of a client')
    .argument('<backend>')
    .action((name: string) =>
      session.run(async () => {
        await change(session, (document) => deleteBackend(document, name))
        report(session, { deleted: name }, `[delete] ${name}`)
      }),
    )
}

function list(session: Session, name: string | undefined): void {
  const { document } = session.settings
  if (name !== undefined) {
    const section = shownBackendSection(document, name)
    if (session.flags.json) printJson(session, section)
    else session.stdout.line(`${sanitise(name)}\n${JSON.stringify(section, undefined, 4)}`)
    return
  }
  const names = listBackends(document)
  if (session.flags.json) printJson(session, names)
  else session.stdout.line(['Backends Installed', ...names.map(sanitise)].join('\n'))
}

function status(session: Session): void {
  const { document, file } = session.settings
  const { configured, active } = backendStatus(document)
  const settings = session.settings.list()
  if (session.flags.json) {
    printJson(session, { file, configured, active: active ?? null, settings })
    return
  }
  for (const warning of session.settings.warnings) session.stderr.line(`warning: ${warning}`)
  session.stdout.line('[backend status]')
  session.stdout.line(`There are ${configured.length} clients found in secrets.`)
  session.stdout.line(
    active === undefined ? 'There is no active client.' : `active: ${sanitise(active)}`,
  )
  const rows = settings.map(({ name, value, source }) => [
    name,
    value,
    source === 'file' ? file : source,
  ])
  const columns = [
    { header: 'SETTING', minWidth: 16, isMain: true },
    { header: 'VALUE', minWidth: 12 },
    { header: 'SOURCE', rank: 1 },
  ]
  const style = session.outputStyle()
  const width = process.stdout.isTTY ? style.width : Number.MAX_SAFE_INTEGER
  session.stdout.line(`\n${formatTable({ columns, rows }, { ...style, width })}`)
}

type AddInput = {
  readonly name: string
  readonly variable: string
  readonly value: string
  readonly force: boolean
}

async function add(session: Session, { name, variable, value, force }: AddInput): Promise<void> {
  const given = value === '-' ? await readStdin() : value
  let added = ''
  await change(session, (document) => {
    const changed = addBackendSetting(document, name, variable, given, { force })
    added = changed.variable
    return changed.document
  })
  const shown = isSecretName(added) ? maskSecret(given) : sanitise(given)
  report(session, { added, value: shown, backend: name }, `[add]\n${added} ${shown}`)
}

async function readStdin(): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of process.stdin) chunks.push(Buffer.from(chunk))
  const text = Buffer.concat(chunks)
    .toString()
    .replace(/\r?\n$/, '')
  if (text !== '') return text
  throw new SregistryError('USAGE', 'stdin gave no value', {
    hint: 'pipe it in: sregistry backend add aws SECRET - < FILE',
  })
}

/** The file as it is now is changed, not as it was when the program started. */
async function change(
  session: Session,
  edit: (document: SettingsDocument) => SettingsDocument,
): Promise<void> {
  await updateSettingsFile(session.settings.file, edit)
}

function report(session: Session, result: unknown, text: string): void {
  if (session.flags.json) printJson(session, result)
  else if (!session.flags.quiet) session.stdout.line(text)
}
