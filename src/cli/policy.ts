import { type Command, Option } from 'commander'
import type { PolicyOptions } from '../client/call-options.ts'
import { SregistryError } from '../errors/sregistry-error.ts'
import type { Session } from './session.ts'
import { withClient } from './with-client.ts'

type PolicyFlags = { readonly repository?: string; readonly crossAccount?: true | string[] }

export function addPolicyCommand(program: Command, session: Session): void {
  program
    .command('policy')
    .description('print the least IAM policy that allows it')
    .argument('<kind>', 'pull, browse, push or create')
    .option('--repository <pattern>', 'only for this repository, or pattern with *')
    .addOption(
      new Option(
        '--cross-account [reader...]',
        'the repository’s own policy, which lets other accounts (ids or ARNs) pull',
      ),
    )
    .action((kind: string, flags: PolicyFlags) =>
      session.run(() =>
        withClient(session, { banner: false }, async (client) => {
          const text = await client.policy(kindOf(kind, flags), optionsOf(flags, session.signal))
          session.stdout.line(session.flags.json ? JSON.stringify(JSON.parse(text)) : text)
        }),
      ),
    )
}

function kindOf(kind: string, { crossAccount }: PolicyFlags): string {
  if (crossAccount === undefined) return kind
  if (kind === 'pull' || kind === 'cross-account') return 'cross-account'
  throw new SregistryError('USAGE', `--cross-account is for pulling, not to ${kind.slice(0, 40)}`, {
    hint: 'sregistry policy pull --cross-account ACCOUNT',
  })
}

function optionsOf(flags: PolicyFlags, signal: AbortSignal): PolicyOptions {
  const { repository, crossAccount } = flags
  return {
    signal,
    ...(repository === undefined ? {} : { repository }),
    ...(Array.isArray(crossAccount) ? { readers: crossAccount } : {}),
  }
}
