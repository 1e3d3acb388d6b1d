/** A connection to a control plane, made from an environment alone: what most tests here start from. */
import { tmpdir } from 'node:os'
import {
  type AwsConnection,
  type AwsConnectionOptions,
  connectAws,
} from '../../src/aws/aws-connection.ts'
import {
  type AwsOptions,
  type AwsSettings,
  resolveAwsSettings,
} from '../../src/aws/aws-settings.ts'
import {
  createTransport,
  type Transport,
  type TransportOptions,
} from '../../src/registry/transport.ts'
import { loadSettings } from '../../src/settings/settings.ts'

export type AwsWorld = {
  readonly connection: AwsConnection
  readonly settings: AwsSettings
  readonly transport: Transport
  readonly close: () => Promise<void>
}

export function openAwsWorld(
  env: Readonly<Record<string, string | undefined>>,
  options: AwsOptions = {},
  home = tmpdir(),
  more: Pick<AwsConnectionOptions, 'mfaCode'> = {},
  limits: NonNullable<TransportOptions['limits']> = {},
): AwsWorld {
  const transport = createTransport({ env, limits })
  const settings = resolveAwsSettings({ settings: loadSettings({ env, home }), env, options })
  const connection = connectAws({ settings, transport, env, home, ...more })
  return {
    connection,
    settings,
    transport,
    close: async () => {
      connection.close()
      await transport.close()
    },
  }
}
