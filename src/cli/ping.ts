import type { Command } from 'commander'
import { printJson } from './print-json.ts'
import type { Session } from './session.ts'
import { withClient } from './with-client.ts'

export function addPingCommand(program: Command, session: Session): void {
  program
    .command('ping')
    .description('whether the registry answers and takes the credentials')
    .action(() =>
      session.run(() =>
        withClient(session, { banner: false }, async (client) => {
          const answer = await client.ping({ signal: session.signal })
          if (session.flags.json) printJson(session, answer)
          else session.stdout.line(`${answer.host} answers and takes the credentials`)
        }),
      ),
    )
}
