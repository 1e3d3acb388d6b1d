/** Which client it is: an explicit name > the reference's scheme or ECR host > settings > aws. */
import { homedir } from 'node:os'
import { isEcrPublicHost, parseEcrHost } from '../registry/ecr-host.ts'
import { parseReference, type ReferenceScheme } from '../registry/reference.ts'
import { loadSettings, type SettingOptions } from '../settings/settings.ts'
import { AwsClient } from './aws-client.ts'
import type { Client } from './client.ts'
import { ClientContext, type ClientContextInput } from './client-context.ts'
import { clientName } from './client-name.ts'
import { RegistryBackendClient } from './registry-backend-client.ts'
import { registryBackends } from './registry-backends.ts'

export type GetClientOptions = Partial<ClientContextInput> & {
  /** `aws`, `docker`, `nvidia` or `ecr-public`. Default: SREGISTRY_CLIENT, the active backend, or aws. */
  readonly client?: string | undefined
  /** A reference whose scheme or registry picks the client. */
  readonly reference?: string | undefined
  /** Settings on top of environment and file, by their names in the environment. */
  readonly options?: SettingOptions
}

/** @throws {SregistryError} SETTING_INVALID for a client that does not exist; REFERENCE_INVALID. */
export function getClient(given: GetClientOptions = {}): Client {
  const env = given.env ?? process.env
  const loaded = given.settings ?? loadSettings({ env, home: homedir() })
  const settings = given.options === undefined ? loaded : loaded.with(given.options)
  return createClient(
    clientName(settings, given.client ?? schemeOf(given.reference)),
    new ClientContext({ ...given, env, settings }),
  )
}

export function createClient(name: ReferenceScheme, context: ClientContext): Client {
  const client =
    name === 'aws'
      ? new AwsClient(context)
      : new RegistryBackendClient(context, registryBackends[name])
  client.sibling = (other) => createClient(other, context)
  return client
}

function schemeOf(reference: string | undefined): ReferenceScheme | undefined {
  if (reference === undefined) return undefined
  const { scheme, registry } = parseReference(reference)
  if (scheme !== undefined || registry === undefined) return scheme
  if (isEcrPublicHost(registry)) return 'ecr-public'
  return parseEcrHost(registry.replace(/:\d+$/, '')) === undefined ? undefined : 'aws'
}
