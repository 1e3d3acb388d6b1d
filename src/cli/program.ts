/** The command line: the flags before the command, and one file per command. */
import { Command } from 'commander'
import { programVersion } from '../settings/version.ts'
import { addBackendCommand } from './backend.ts'
import { addCacheCommand } from './cache.ts'
import { addDemoCommand } from './demo.ts'
import { addDescribeCommand } from './describe.ts'
import { addDoctorCommand } from './doctor.ts'
import { addExportCommand } from './export.ts'
import { addForeignCommands } from './foreign-commands.ts'
import { addImageCommands } from './images.ts'
import { addLocalEcrCommand } from './local-ecr.ts'
import { addPingCommand } from './ping.ts'
import { addPolicyCommand } from './policy.ts'
import { addPullCommand } from './pull.ts'
import { addRemoteCommands } from './remote.ts'
import { addRepositoryCommands } from './repositories.ts'
import type { GlobalFlags, Session } from './session.ts'
import { addShellCommand } from './shell.ts'
import { addTokenCommand } from './token.ts'
import { addWhoamiCommand } from './whoami.ts'

export function createProgram(session: Session): Command {
  const program = new Command('sregistry')
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
  addShellCommand(program, session)
  addPullCommand(program, session)
  addImageCommands(program, session)
  addExportCommand(program, session)
  addRemoteCommands(program, session)
  addRepositoryCommands(program, session)
  addDescribeCommand(program, session)
  addDoctorCommand(program, session)
  addPolicyCommand(program, session)
  addTokenCommand(program, session)
  addWhoamiCommand(program, session)
  addPingCommand(program, session)
  addBackendCommand(program, session)
  addForeignCommands(program, session)
  addCacheCommand(program, session)
  addLocalEcrCommand(program, session)
  addDemoCommand(program, session)
  return program
}
