/** Which client it is: an explicit name > the reference's scheme or ECR host > settings > aws. */
import { homedir } from 'node:os'
import { isEcrPublicHost, parseEcrAddress } from '../registry/ecr-host.ts'
import { parseReference, type ReferenceScheme } from '../registry/reference.ts'
import { loadSettings, type SettingOptions } from '../settings/settings.ts'
import type { Client } from './client.ts'
import { ClientContext, type ClientContextInput } from './client-context.ts'
import { clientName } from './client-name.ts'

export type GetClientOptions = Partial<ClientContextInput> & {
  /** `aws`, `docker`, `nvidia` or `ecr-public`. Default: SREGISTRY_CLIENT, the active backend, or aws. */
  readonly client?: string | undefined
  /** A reference whose scheme or registry picks the client. */
  readonly reference?: string | undefined
  /** Settings on top of environment and file, by their names in the environment. */
  readonly options?: SettingOptions
}

/**
 * Only the code of the client that is wanted is loaded; those of other schemes when a reference names one.
 * @throws {SregistryError} SETTING_INVALID for a client that does not exist; REFERENCE_INVALID.
 */
export async function getClient(given: GetClientOptions = {}): Promise<Client> {
  const env = given.env ?? process.env
  const loaded = given.settings ?? loadSettings({ env, home: homedir() })
  const settings = given.options === undefined ? loaded : loaded.with(given.options)
  return createClient(
    clientName(settings, given.client ?? schemeOf(given.reference)),
    new ClientContext({ ...given, env, settings }),
  )
}

async function createClient(name: ReferenceScheme, context: ClientContext): Promise<Client> {
  const client = await loadClient(name, context)
  client.sibling = (other) => createClient(other, context)
  return client
}

async function loadClient(name: ReferenceScheme, context: ClientContext): Promise<Client> {
  if (name === 'aws') return new (await import('./aws-client.ts')).AwsClient(context)
  const [{ RegistryBackendClient }, { registryBackends }] = await Promise.all([
    import('./registry-backend-client.ts'),
    import('./registry-backends.ts'),
  ])
  return new RegistryBackendClient(context, registryBackends[name])
}

function schemeOf(reference: string | undefined): ReferenceScheme | undefined {
  if (reference === undefined) return undefined
  const { scheme, registry } = parseReference(reference)
  if (scheme !== undefined || registry === undefined) return scheme
  if (isEcrPublicHost(registry)) return 'ecr-public'
  return parseEcrAddress(registry) === undefined ? undefined : 'aws'
}
