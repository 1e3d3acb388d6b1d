/** What can be said of a client before any of its code is loaded: for a prompt that must be there at once. */
import { resolveAwsSettings } from '../aws/aws-settings.ts'
import { isSregistryError } from '../errors/sregistry-error.ts'
import type { ReferenceScheme } from '../registry/reference.ts'
import type { Settings } from '../settings/settings.ts'
import { backendPlace, registryBackends } from './registry-backends.ts'

export type ClientFacts = {
  readonly name: ReferenceScheme
  /** A region or a registry host; undefined when none is set, or what is set makes no sense. */
  readonly place: string | undefined
  /** URI of the catalogue; undefined when it is disabled. */
  readonly database: string | undefined
}

export function clientFacts(
  name: ReferenceScheme,
  settings: Settings,
  env: Readonly<Record<string, string | undefined>>,
): ClientFacts {
  return { name, place: placeOf(name, settings, env), database: settings.database() }
}

function placeOf(
  name: ReferenceScheme,
  settings: Settings,
  env: Readonly<Record<string, string | undefined>>,
): string | undefined {
  if (name !== 'aws') return backendPlace(registryBackends[name], settings)
  try {
    return resolveAwsSettings({ settings, env }).region?.value
  } catch (error) {
    // A prompt is where a wrong setting is looked into and mended; the first call tells what is wrong.
    if (isSregistryError(error)) return undefined
    throw error
  }
}
