/** The backends that are plain registries: which host they mean, and which settings log in to it. */
import type { SettingName } from '../settings/setting-table.ts'
import type { Settings } from '../settings/settings.ts'

export type RegistryBackendName = 'docker' | 'nvidia' | 'ecr-public'

export type RegistryBackend = {
  readonly name: RegistryBackendName
  /** The registry of references that name none. */
  readonly host: string
  /** Settings that override it; ECR Public is one place and has none. */
  readonly base?: SettingName
  readonly noHttps?: SettingName
  /** Pairs of name and password, the first complete one counts. */
  readonly logins: readonly { readonly username: SettingName; readonly password: SettingName }[]
}

export const registryBackends: Readonly<Record<RegistryBackendName, RegistryBackend>> = {
  docker: {
    name: 'docker',
    host: 'docker.io',
    base: 'SREGISTRY_DOCKERHUB_BASE',
    noHttps: 'SREGISTRY_DOCKERHUB_NOHTTPS',
    logins: [
      { username: 'SREGISTRY_DOCKERHUB_USERNAME', password: 'SREGISTRY_DOCKERHUB_PASSWORD' },
      { username: 'SINGULARITY_DOCKER_USERNAME', password: 'SINGULARITY_DOCKER_PASSWORD' },
    ],
  },
  nvidia: {
    name: 'nvidia',
    host: 'nvcr.io',
    base: 'SREGISTRY_NVIDIA_BASE',
    noHttps: 'SREGISTRY_NVIDIA_NOHTTPS',
    logins: [{ username: 'SREGISTRY_NVIDIA_USERNAME', password: 'SREGISTRY_NVIDIA_TOKEN' }],
  },
  'ecr-public': { name: 'ecr-public', host: 'public.ecr.aws', logins: [] },
}

/** The host that references without one mean, by default or by setting. */
export function backendPlace({ base, host }: RegistryBackend, settings: Settings): string {
  const value = base === undefined ? undefined : settings.find(base)
  // the default of the setting is the ancestor's name for the same registry
  return value === undefined || value.source === 'default' ? host : value.value
}
