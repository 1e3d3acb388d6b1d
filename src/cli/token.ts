import type { Command } from 'commander'
import { printFacts } from './facts.ts'
import { printJson } from './print-json.ts'
import type { Session } from './session.ts'
import { withClient } from './with-client.ts'

export function addTokenCommand(program: Command, session: Session): void {
  program
    .command('token')
    .description('log in at the registry and tell until when the login holds')
    .option('--raw', 'print the password itself, for scripts')
    .addHelpText('after', '\nExample: curl -u "AWS:$(sregistry token --raw)" https://REGISTRY/v2/')
    .action(({ raw = false }: { raw?: boolean }) =>
      session.run(() =>
        withClient(session, { banner: false }, async (client) => {
          const { signal } = session
          if (!raw) {
            printFacts(session, { ...((await client.token({ signal })) as object) })
            return
          }
          const password = await client.token({ raw: true, signal })
          if (session.flags.json) printJson(session, { password })
          else session.stdout.line(password)
        }),
      ),
    )
}
