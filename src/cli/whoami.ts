import type { Command } from 'commander'
import { printFacts } from './facts.ts'
import type { Session } from './session.ts'
import { withClient } from './with-client.ts'

export function addWhoamiCommand(program: Command, session: Session): void {
  program
    .command('whoami')
    .description('whose credentials are used, where they come from and until when')
    .action(() =>
      session.run(() =>
        withClient(session, { banner: false }, async (client) => {
          printFacts(session, await client.whoami({ signal: session.signal }))
        }),
      ),
    )
}
