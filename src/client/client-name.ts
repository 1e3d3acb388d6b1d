/** Which client it is by name: an explicit one > settings > aws. */
import { SregistryError } from '../errors/sregistry-error.ts'
import type { ReferenceScheme } from '../registry/reference.ts'
import type { Settings } from '../settings/settings.ts'

export const clientNames: readonly ReferenceScheme[] = ['aws', 'docker', 'nvidia', 'ecr-public']

/**
 * The name of the client that these settings choose; loads nothing.
 * @throws {SregistryError} SETTING_INVALID for a client that does not exist.
 */
export function clientName(settings: Settings, named: string | undefined): ReferenceScheme {
  if (named !== undefined) return knownName(named, 'the option')
  const setting = settings.find('SREGISTRY_CLIENT')
  if (setting === undefined) return 'aws'
  return knownName(setting.value, setting.source === 'file' ? settings.file : 'SREGISTRY_CLIENT')
}

function knownName(name: string, source: string): ReferenceScheme {
  const known = clientNames.find((one) => one === name)
  if (known !== undefined) return known
  throw new SregistryError('SETTING_INVALID', `${source} names the client "${name.slice(0, 80)}"`, {
    hint: `there are ${clientNames.join(', ')}`,
  })
}
