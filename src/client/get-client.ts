/** Which client it is: an explicit name > the reference's scheme or ECR host > settings > aws. */
import { homedir } from 'node:os'
import { SregistryError } from '../errors/sregistry-error.ts'
import { isEcrPublicHost, parseEcrHost } from '../registry/ecr-host.ts'
import { parseReference, type ReferenceScheme } from '../registry/reference.ts'
import { loadSettings, type SettingOptions, type Settings } from '../settings/settings.ts'
import { AwsClient } from './aws-client.ts'
import type { Client } from './client.ts'
import { ClientContext, type ClientContextInput } from './client-context.ts'
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

const clientNames: readonly ReferenceScheme[] = ['aws', 'docker', 'nvidia', 'ecr-public']

/** @throws {SregistryError} SETTING_INVALID for a client that does not exist; REFERENCE_INVALID. */
export function getClient(given: GetClientOptions = {}): Client {
  const env = given.env ?? process.env
  const loaded = given.settings ?? loadSettings({ env, home: homedir() })
  const settings = given.options === undefined ? loaded : loaded.with(given.options)
  return createClient(clientName(settings, given), new ClientContext({ ...given, env, settings }))
}

/** The name of the client that these settings choose; loads nothing. */
export function clientName(
  settings: Settings,
  given: Pick<GetClientOptions, 'client' | 'reference'> = {},
): ReferenceScheme {
  const named = given.client ?? schemeOf(given.reference)
  if (named !== undefined) return knownName(named, 'the option')
  const setting = settings.find('SREGISTRY_CLIENT')
  if (setting === undefined) return 'aws'
  return knownName(setting.value, setting.source === 'file' ? settings.file : 'SREGISTRY_CLIENT')
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

function knownName(name: string, source: string): ReferenceScheme {
  const known = clientNames.find((one) => one === name)
  if (known !== undefined) return known
  throw new SregistryError('SETTING_INVALID', `${source} names the client "${name.slice(0, 80)}"`, {
    hint: `there are ${clientNames.join(', ')}`,
  })
}
