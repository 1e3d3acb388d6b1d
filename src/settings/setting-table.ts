/**
 * Every setting: its name in the environment (those of the Python ancestor keep name and meaning), what
 * it is for, its default, and whether it is a secret.
 */

export type SettingKind = 'text' | 'flag' | 'path' | 'number'

/** The backends that `~/.sregistry` has a section for. */
export const backends = ['aws', 'docker', 'nvidia', 'ecr-public'] as const
export type Backend = (typeof backends)[number]

export type SettingDefinition = {
  readonly kind: SettingKind
  readonly meaning: string
  readonly default?: string
  readonly isSecret?: boolean
  /** The section of `~/.sregistry` it stands in; without one it stands at the top. */
  readonly backend?: Backend
}

type Endpoint = 'BASE' | 'VERSION' | 'NOHTTPS'

export type SettingName =
  | `SREGISTRY_${'CLIENT' | 'CLIENT_SECRETS' | 'DATABASE' | 'STORAGE' | 'DISABLE' | 'TMPDIR'}`
  | `SREGISTRY_${'PYTHON_THREADS' | 'HTTPS_NOVERIFY' | 'SHELL' | 'THUMBNAIL' | 'CREDENTIALS_CACHE'}`
  | `SREGISTRY_DISABLE_CREDENTIAL_${'CACHE' | 'AWS' | 'DOCKER' | 'NVIDIA'}`
  | `SREGISTRY_AWS_${'ID' | 'ZONE' | 'KEY' | 'SECRET' | Endpoint}`
  | `SREGISTRY_DOCKERHUB_${'USERNAME' | 'PASSWORD' | 'SECRETS' | Endpoint}`
  | `SREGISTRY_NVIDIA_${'USERNAME' | 'TOKEN' | Endpoint}`
  | `SINGULARITY_${'CACHEDIR' | 'DISABLE_CACHE' | 'COLORIZE'}`
  | `SINGULARITY_DOCKER_${'USERNAME' | 'PASSWORD'}`
  | 'SREGISTRY_DOCKER_CMD'
  | 'MESSAGELEVEL'

export const settingTable: Readonly<Record<SettingName, SettingDefinition>> = {
  // what is used
  SREGISTRY_CLIENT: { kind: 'text', meaning: 'the backend: aws, docker, nvidia, ecr-public' },
  SREGISTRY_CLIENT_SECRETS: {
    kind: 'path',
    default: '~/.sregistry',
    meaning: 'the file these settings are kept in',
  },
  SREGISTRY_DATABASE: {
    kind: 'text',
    default: '~/.singularity',
    meaning: 'the catalogue: a folder (for sregistry.db), a file or a URI',
  },
  SREGISTRY_STORAGE: {
    kind: 'path',
    default: '~/.singularity/shub',
    meaning: 'the directory of pulled images',
  },
  SREGISTRY_DISABLE: { kind: 'flag', default: 'no', meaning: 'work without a catalogue' },
  SINGULARITY_CACHEDIR: {
    kind: 'path',
    default: '~/.singularity',
    meaning: 'the directory of the layer cache (docker/ in it)',
  },
  SINGULARITY_DISABLE_CACHE: { kind: 'flag', default: 'no', meaning: 'keep no layers' },
  SREGISTRY_TMPDIR: { kind: 'path', meaning: 'work space; the system’s by default' },
  // how it works
  SREGISTRY_PYTHON_THREADS: {
    kind: 'number',
    default: '4',
    meaning: 'layers at the same time (the name is the ancestor’s)',
  },
  SREGISTRY_HTTPS_NOVERIFY: { kind: 'flag', default: 'no', meaning: 'do not check certificates' },
  SREGISTRY_SHELL: { kind: 'text', meaning: 'the ancestor’s choice of Python shell; not used' },
  SREGISTRY_THUMBNAIL: { kind: 'path', meaning: 'the ancestor’s picture for uploads; not used' },
  SREGISTRY_CREDENTIALS_CACHE: {
    kind: 'path',
    meaning: 'a file (0600) that keeps ECR tokens between runs; by default they stay in memory',
  },
  SREGISTRY_DISABLE_CREDENTIAL_CACHE: {
    kind: 'flag',
    default: 'no',
    meaning: 'the ancestor’s switch for its token cache; not needed',
  },
  SREGISTRY_DISABLE_CREDENTIAL_AWS: { kind: 'flag', default: 'no', meaning: 'the same, for aws' },
  SREGISTRY_DISABLE_CREDENTIAL_DOCKER: {
    kind: 'flag',
    default: 'no',
    meaning: 'the same, for docker',
  },
  SREGISTRY_DISABLE_CREDENTIAL_NVIDIA: {
    kind: 'flag',
    default: 'no',
    meaning: 'the same, for nvidia',
  },
  MESSAGELEVEL: { kind: 'text', default: 'INFO', meaning: 'DEBUG, INFO, QUIET or a number' },
  SINGULARITY_COLORIZE: { kind: 'text', meaning: 'colours: yes or no; by default on a terminal' },
  // aws
  SREGISTRY_AWS_ID: { kind: 'text', backend: 'aws', meaning: 'the account (registry id)' },
  SREGISTRY_AWS_ZONE: { kind: 'text', backend: 'aws', meaning: 'the region' },
  SREGISTRY_AWS_KEY: { kind: 'text', backend: 'aws', isSecret: true, meaning: 'access key id' },
  SREGISTRY_AWS_SECRET: {
    kind: 'text',
    backend: 'aws',
    isSecret: true,
    meaning: 'secret access key',
  },
  SREGISTRY_AWS_BASE: {
    kind: 'text',
    backend: 'aws',
    meaning: 'host of the registry for names without one',
  },
  SREGISTRY_AWS_VERSION: {
    kind: 'text',
    backend: 'aws',
    default: 'v2',
    meaning: 'version of the registry’s protocol',
  },
  SREGISTRY_AWS_NOHTTPS: {
    kind: 'flag',
    backend: 'aws',
    default: 'no',
    meaning: 'reach the host of SREGISTRY_AWS_BASE without TLS',
  },
  // docker
  SREGISTRY_DOCKERHUB_BASE: {
    kind: 'text',
    backend: 'docker',
    default: 'index.docker.io',
    meaning: 'the registry’s host',
  },
  SREGISTRY_DOCKERHUB_VERSION: {
    kind: 'text',
    backend: 'docker',
    default: 'v2',
    meaning: 'version of the registry’s protocol',
  },
  SREGISTRY_DOCKERHUB_NOHTTPS: {
    kind: 'flag',
    backend: 'docker',
    default: 'no',
    meaning: 'reach the registry without TLS',
  },
  SREGISTRY_DOCKERHUB_USERNAME: { kind: 'text', backend: 'docker', meaning: 'login name' },
  SREGISTRY_DOCKERHUB_PASSWORD: {
    kind: 'text',
    backend: 'docker',
    isSecret: true,
    meaning: 'login password or access token',
  },
  SREGISTRY_DOCKERHUB_SECRETS: {
    kind: 'path',
    backend: 'docker',
    meaning: 'a docker config.json to take logins from',
  },
  SINGULARITY_DOCKER_USERNAME: { kind: 'text', backend: 'docker', meaning: 'fall-back login name' },
  SINGULARITY_DOCKER_PASSWORD: {
    kind: 'text',
    backend: 'docker',
    isSecret: true,
    meaning: 'fall-back login password',
  },
  SREGISTRY_DOCKER_CMD: {
    kind: 'flag',
    backend: 'docker',
    default: 'no',
    meaning: 'run Cmd rather than Entrypoint',
  },
  // nvidia
  SREGISTRY_NVIDIA_BASE: {
    kind: 'text',
    backend: 'nvidia',
    default: 'nvcr.io',
    meaning: 'the registry’s host',
  },
  SREGISTRY_NVIDIA_VERSION: {
    kind: 'text',
    backend: 'nvidia',
    default: 'v2',
    meaning: 'version of the registry’s protocol',
  },
  SREGISTRY_NVIDIA_NOHTTPS: {
    kind: 'flag',
    backend: 'nvidia',
    default: 'no',
    meaning: 'reach the registry without TLS',
  },
  SREGISTRY_NVIDIA_USERNAME: {
    kind: 'text',
    backend: 'nvidia',
    default: '$oauthtoken',
    meaning: 'login name',
  },
  SREGISTRY_NVIDIA_TOKEN: {
    kind: 'text',
    backend: 'nvidia',
    isSecret: true,
    meaning: 'API key',
  },
}

export const settingNames: readonly SettingName[] = Object.keys(settingTable) as SettingName[]

export function isSettingName(name: string): name is SettingName {
  return Object.hasOwn(settingTable, name)
}

/**
 * Whether a value of this name must not be shown: as the table says, and for names of other programs
 * whatever sounds like a secret.
 */
export function isSecretName(name: string): boolean {
  if (isSettingName(name)) return settingTable[name].isSecret === true
  return /secret|token|password|passwd|credential|key|auth/i.test(name)
}

/** Enough of a secret to tell which one it is: the type of an AWS key id, nothing of any other. */
export function maskSecret(value: string): string {
  return /^(AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{12,}$/.test(value) ? `${value.slice(0, 4)}…` : '****'
}
