/** The command line: the flags before the command, and one file per command. */
import { Command } from 'commander'
import { programVersion } from '../settings/version.ts'
import { addCacheCommand } from './cache.ts'
import { addDemoCommand } from './demo.ts'
import { addImageCommands } from './images.ts'
import { addLocalEcrCommand } from './local-ecr.ts'
import { addPullCommand } from './pull.ts'
import { addRemoteCommands } from './remote.ts'
import type { GlobalFlags, Session } from './session.ts'
import { addShellCommand } from './shell.ts'

export function createProgram(session: Session): Command {
  const program = new Command('sregistry')
    .description('Pull container images from AWS ECR and other registries as Singularity images')
    .version(programVersion(), '--version', 'print the version')
    .option('-d, --debug', 'show stacks of errors')
    .option('-q, --quiet', 'print only the result')
    .option('--json', 'print one JSON document')
    .option('--client <name>', 'aws, docker, nvidia or ecr-public')
    .exitOverride()
    .configureHelp({ showGlobalOptions: false })
    .showHelpAfterError('(sregistry --help shows what there is)')
    .hook('preAction', (command) => {
      session.flags = command.opts<GlobalFlags>()
    })
  addShellCommand(program, session)
  addPullCommand(program, session)
  addImageCommands(program, session)
  addRemoteCommands(program, session)
  addCacheCommand(program, session)
  addLocalEcrCommand(program, session)
  addDemoCommand(program, session)
  return program
}
