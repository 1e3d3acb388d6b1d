/** Where settings of the aws client may stand: options, our own settings, the shared AWS files. */
import type { SettingName } from '../settings/setting-table.ts'
import type { Settings } from '../settings/settings.ts'
import {
  activeProfile,
  type Environment,
  profileSection,
  readSharedConfig,
  type SharedConfig,
} from './shared-config.ts'

/** A value and where it was found, in words: `environment SREGISTRY_AWS_ID`, `~/.sregistry`. */
export type Sourced<Value> = { readonly value: Value; readonly source: string }

/** Settings given by the caller (`client.use`, command line), first of all. */
export type AwsOptions = {
  readonly account?: string
  readonly region?: string
  /** Another data plane, `host[:port]`, with `http://` before it for plain HTTP. */
  readonly base?: string
  readonly plainHttp?: boolean
  /** Another control plane, as `http://127.0.0.1:4566`. */
  readonly endpoint?: string
  readonly profile?: string
  readonly accessKeyId?: string
  readonly secretAccessKey?: string
  readonly sessionToken?: string
}

export type AwsSettingsInput = {
  /** Environment and `~/.sregistry`, already in order. */
  readonly settings: Pick<Settings, 'find' | 'file' | 'home'>
  /** For the variables of AWS's own tools. */
  readonly env: Environment
  readonly options?: AwsOptions
  /** Host[:port] of the reference, when it names one. */
  readonly referenceHost?: string
  /** Default: read from the home directory. */
  readonly shared?: SharedConfig
}

/** Looks a setting up in each place where it may stand. */
export type Finder = {
  readonly profile: Sourced<string>
  /** A setting of ours: option, environment, `~/.sregistry`. */
  readonly own: (
    option: Exclude<keyof AwsOptions, 'plainHttp'> | undefined,
    variable: SettingName,
  ) => Sourced<string> | undefined
  readonly option: (option: Exclude<keyof AwsOptions, 'plainHttp'>) => Sourced<string> | undefined
  readonly env: (...variables: readonly string[]) => Sourced<string> | undefined
  /** A key of the profile in the shared files. */
  readonly shared: (key: string) => Sourced<string> | undefined
  /** A key of the profile's `services` section for ECR. */
  readonly service: (key: string) => Sourced<string> | undefined
}

/** Reads the two shared files, once. */
export function finder(input: AwsSettingsInput): Finder {
  const { env, options = {}, settings } = input
  const shared = input.shared ?? readSharedConfig(env, settings.home)
  const profile = profileOf(env, options.profile)
  const section = profileSection(shared, profile.value) ?? {}
  const services = shared.config?.get(`services ${section['services'] ?? ''}`) ?? {}
  const fromEnv = (...variables: readonly string[]): Sourced<string> | undefined => {
    const name = variables.find((variable) => env[variable])
    return name === undefined ? undefined : sourced(env[name], `environment ${name}`)
  }
  const option: Finder['option'] = (name) => sourced(options[name], `option ${name}`)
  const where = `profile ${profile.value} in ${shared.configPath}`
  return {
    profile,
    env: fromEnv,
    option,
    own: (name, variable) => (name && option(name)) ?? ownSetting(settings, variable),
    shared: (key) => sourced(section[key], where),
    service: (key) => sourced(services[`ecr.${key}`], where),
  }
}

function ownSetting(
  settings: AwsSettingsInput['settings'],
  name: SettingName,
): Sourced<string> | undefined {
  const found = settings.find(name)
  if (found === undefined) return undefined
  const sources = {
    option: `option ${name}`,
    environment: `environment ${name}`,
    file: settings.file,
    default: 'default',
  }
  return sourced(found.value, sources[found.source])
}

function sourced(value: string | undefined, source: string): Sourced<string> | undefined {
  const trimmed = value?.trim()
  return trimmed ? { value: trimmed, source } : undefined
}

function profileOf(env: Environment, given: string | undefined): Sourced<string> {
  const value = activeProfile(env, given)
  if (given) return { value, source: 'option profile' }
  const name = ['AWS_PROFILE', 'AWS_DEFAULT_PROFILE'].find((variable) => env[variable])
  return { value, source: name === undefined ? 'default' : `environment ${name}` }
}
