/** Runs a command with a client, which is closed when the command has ended. */
import type { Client } from '../client/client.ts'
import { formatBanner } from '../terminal/banner.ts'
import type { Session } from './session.ts'

export type ClientNeeds = {
  /** A reference whose scheme or registry picks the client. */
  readonly reference?: string | undefined
  /** Whether the line that says where one is comes first. */
  readonly banner: boolean
}

export async function withClient(
  session: Session,
  needs: ClientNeeds,
  use: (client: Client) => Promise<void>,
): Promise<void> {
  const { getClient } = await import('../client/get-client.ts')
  const { settings, env, flags } = session
  for (const warning of settings.warnings) session.stderr.line(`warning: ${warning}`)
  const client = await getClient({
    settings,
    env,
    ...(flags.client === undefined ? {} : { client: flags.client }),
    ...(needs.reference === undefined ? {} : { reference: needs.reference }),
    onWarning: (text) => session.stderr.line(`warning: ${text}`),
    ...(process.stdin.isTTY && process.stderr.isTTY
      ? { mfaCode: (device) => askMfaCode(session, device) }
      : {}),
  })
  // its requests pass through the SDK and undici
  if (client.name === 'aws') session.tuneEngine()
  try {
    if (needs.banner && !flags.quiet && !flags.json) {
      session.stdout.line(
        formatBanner({ client: client.name, database: client.database ?? 'dummy' }),
      )
    }
    await use(client)
  } finally {
    await client.close()
  }
}

/** Readline is loaded for who is asked. */
async function askMfaCode(session: Session, device: string): Promise<string> {
  const { askLine } = await import('./ask.ts')
  const resume = session.holdScreen()
  try {
    return await askLine(`code of the MFA device ${device}: `, session.signal)
  } finally {
    resume()
  }
}
