/** Which client it is: an explicit name > the reference's scheme or ECR host > settings > aws. */
import { SregistryError } from '../errors/sregistry-error.ts'
import { isEcrPublicHost, parseEcrHost } from '../registry/ecr-host.ts'
import { parseReference, type ReferenceScheme } from '../registry/reference.ts'
import type { Settings } from '../settings/settings.ts'

export type ClientChoice = {
  /** `aws`, `docker`, `nvidia` or `ecr-public`. Default: SREGISTRY_CLIENT, the active backend, or aws. */
  readonly client?: string | undefined
  /** A reference whose scheme or registry picks the client. */
  readonly reference?: string | undefined
}

export const clientNames: readonly ReferenceScheme[] = ['aws', 'docker', 'nvidia', 'ecr-public']

/**
 * The name of the client that these settings choose; loads nothing.
 * @throws {SregistryError} SETTING_INVALID for a client that does not exist; REFERENCE_INVALID.
 */
export function clientName(settings: Settings, given: ClientChoice = {}): ReferenceScheme {
  const named = given.client ?? schemeOf(given.reference)
  if (named !== undefined) return knownName(named, 'the option')
  const setting = settings.find('SREGISTRY_CLIENT')
  if (setting === undefined) return 'aws'
  return knownName(setting.value, setting.source === 'file' ? settings.file : 'SREGISTRY_CLIENT')
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
