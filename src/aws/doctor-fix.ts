/** What `doctor --fix` may do by itself: keep what was found out, and make a repository that was asked for. */
import type { AwsConnection } from './aws-connection.ts'
import type { RungResult } from './doctor-case.ts'
import { createRepository } from './repositories.ts'

export type DoctorFixOptions = {
  readonly results: readonly RungResult[]
  readonly connection: AwsConnection
  /** Made when the doctor found that it is missing. Default: none is made. */
  readonly createRepository?: string
  /** Account of the registry it is made in. Default: the caller's own. */
  readonly registryId?: string
  /** Values that the user gave for this run, to be kept; never a secret. */
  readonly settings?: Readonly<Record<string, string>>
  /** Writes settings into `~/.sregistry`, 0600, atomically. */
  readonly saveSettings: (settings: Readonly<Record<string, string>>) => Promise<void>
  readonly signal?: AbortSignal
}

/**
 * Gives a line for each thing done; none when there was nothing that is safe to do.
 * @throws {SregistryError} ACCESS_DENIED, NOT_WRITABLE … of what it tried.
 */
export async function fixFindings(options: DoctorFixOptions): Promise<readonly string[]> {
  return [...(await keepSettings(options)), ...(await makeRepository(options))]
}

async function keepSettings({ settings, saveSettings }: DoctorFixOptions): Promise<string[]> {
  const names = Object.keys(settings ?? {})
  if (settings === undefined || names.length === 0) return []
  await saveSettings(settings)
  return [`kept ${names.join(', ')} in the settings file`]
}

async function makeRepository(options: DoctorFixOptions): Promise<string[]> {
  const { results, connection, createRepository: name, registryId, signal } = options
  const isMissing = results.some(
    ({ key, code }) => key === 'repositories' && code === 'NAME_UNKNOWN',
  )
  if (name === undefined || !isMissing) return []
  const { repository } = await createRepository(connection.controlPlane, name, {
    ...(registryId === undefined ? {} : { registryId }),
    ...(signal === undefined ? {} : { signal }),
  })
  return [`created the repository ${repository.uri}`]
}
