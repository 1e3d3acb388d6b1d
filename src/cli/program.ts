/** The command line: the flags before the command, and the commands, loaded when they are named. */
import { Command } from 'commander'
import { programVersion } from '../settings/version.ts'
import type { GlobalFlags, Session } from './session.ts'

type AddCommands = (program: Command, session: Session) => void

type CommandFile = {
  readonly names: readonly string[]
  readonly load: () => Promise<AddCommands>
}

/** In the order of the help. */
const commandFiles: readonly CommandFile[] = [
  { names: ['shell'], load: async () => (await import('./shell.ts')).addShellCommand },
  { names: ['pull'], load: async () => (await import('./pull.ts')).addPullCommand },
  {
    names: ['images', 'get', 'inspect', 'labels', 'add', 'mv', 'rename', 'rm'],
    load: async () => (await import('./images.ts')).addImageCommands,
  },
  { names: ['export'], load: async () => (await import('./export.ts')).addExportCommand },
  {
    names: ['tags', 'search', 'manifest', 'layers'],
    load: async () => (await import('./remote.ts')).addRemoteCommands,
  },
  {
    names: ['repositories', 'create'],
    load: async () => (await import('./repositories.ts')).addRepositoryCommands,
  },
  { names: ['describe'], load: async () => (await import('./describe.ts')).addDescribeCommand },
  { names: ['doctor'], load: async () => (await import('./doctor.ts')).addDoctorCommand },
  { names: ['policy'], load: async () => (await import('./policy.ts')).addPolicyCommand },
  { names: ['token'], load: async () => (await import('./token.ts')).addTokenCommand },
  { names: ['whoami'], load: async () => (await import('./whoami.ts')).addWhoamiCommand },
  { names: ['ping'], load: async () => (await import('./ping.ts')).addPingCommand },
  { names: ['backend'], load: async () => (await import('./backend.ts')).addBackendCommand },
  {
    names: ['push', 'delete', 'share', 'build'],
    load: async () => (await import('./foreign-commands.ts')).addForeignCommands,
  },
  { names: ['cache'], load: async () => (await import('./cache.ts')).addCacheCommand },
  { names: ['local-ecr'], load: async () => (await import('./local-ecr.ts')).addLocalEcrCommand },
  { names: ['demo'], load: async () => (await import('./demo.ts')).addDemoCommand },
]

/** @param args The command line; a program that is not told of it knows every command. */
export async function createProgram(
  session: Session,
  args: readonly string[] = [],
): Promise<Command> {
  const program = bareProgram(session)
  for (const addCommands of await Promise.all(filesFor(args).map(({ load }) => load()))) {
    addCommands(program, session)
  }
  return program
}

/** The files whose commands the arguments may mean; all of them for help and for unknown commands. */
function filesFor(args: readonly string[]): readonly CommandFile[] {
  if (args[0] === '--version') return []
  const named = commandFiles.filter(({ names }) => names.some((name) => args.includes(name)))
  return named.length > 0 ? named : commandFiles
}

function bareProgram(session: Session): Command {
  return new Command('sregistry')
    .description('Pull container images from AWS ECR and other registries as Singularity images')
    .version(programVersion(), '--version', 'print the version')
    .option('-d, --debug', 'show stacks of errors')
    .option('-q, --quiet', 'print only the result')
    .option('--json', 'print one JSON document')
    .option('--client <name>', 'aws, docker, nvidia or ecr-public')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => session.stdout.write(text),
      writeErr: (text) => session.stderr.write(text),
      // main.ts tells them, in the form of all errors
      outputError: () => undefined,
    })
    .configureHelp({ showGlobalOptions: false })
    .hook('preAction', (command) => {
      session.flags = command.opts<GlobalFlags>()
    })
}
