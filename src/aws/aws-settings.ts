/**
 * What the aws client works with, each value with where it comes from. Order: explicit option >
 * host in the reference (region and account only: a name says where it lies) > environment >
 * `~/.sregistry` > the shared AWS configuration > default.
 * @see DESIGN § 7, REGISTRY §§ 1, 2.2
 */
import { SregistryError } from '../errors/sregistry-error.ts'
import { type EcrHost, parseEcrHost } from '../registry/ecr-host.ts'
import type { SettingName } from '../settings/setting-table.ts'
import { parseFlag } from '../settings/setting-values.ts'
import type { Settings } from '../settings/settings.ts'
import type { KeyPair } from './ecr-client.ts'
import { type EndpointVariant, registryHostOf } from './partition.ts'
import { Secret } from './secret.ts'
import {
  activeProfile,
  type Environment,
  profileSection,
  readSharedConfig,
  type SharedConfig,
} from './shared-config.ts'

/** A value and where it was found, in words: `environment SREGISTRY_AWS_ID`, `~/.sregistry`. */
export type Sourced<Value> = { readonly value: Value; readonly source: string }

/** Source of what the host in a reference says. */
export const referenceSource = 'the host in the reference'

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

export type AwsSettings = {
  readonly account: Sourced<string> | undefined
  readonly region: Sourced<string> | undefined
  /** Host[:port] of `/v2/`; undefined when only the token's `proxyEndpoint` can tell. */
  readonly registryHost: Sourced<string> | undefined
  readonly plainHttp: Sourced<boolean>
  readonly endpoint: Sourced<string> | undefined
  readonly profile: Sourced<string>
  readonly keyPair: Sourced<KeyPair> | undefined
  readonly variant: EndpointVariant
}

/**
 * Resolves every setting; reads the two shared files, loads nothing of AWS.
 * @throws {SregistryError} SETTING_INVALID naming the setting, its source and what it should be.
 */
export function resolveAwsSettings(input: AwsSettingsInput): AwsSettings {
  const shared = input.shared ?? readSharedConfig(input.env, input.settings.home)
  const found = finder(input, shared)
  const base = found.own('base', 'SREGISTRY_AWS_BASE')
  const host = namedHost(input.referenceHost, base)
  const account = checked(accountOf(found, host), /^\d{12}$/, 'account', 'twelve digits, no dashes')
  const region = checked(regionOf(found, host), /^[a-z0-9-]{1,40}$/, 'region', 'like us-east-1')
  checkVersion(found.own(undefined, 'SREGISTRY_AWS_VERSION'))
  const variant = variantOf(found, host?.value)
  return {
    account,
    region,
    registryHost: registryHost(input.referenceHost, base, { account, region, variant }),
    plainHttp: plainHttpOf(input, found, base),
    endpoint: endpointOf(found),
    profile: found.profile,
    keyPair: keyPairOf(found, input),
    variant,
  }
}

type Finder = {
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

function finder(input: AwsSettingsInput, shared: SharedConfig): Finder {
  const { env, options = {}, settings } = input
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

/** The ECR host that the reference names, or else the one in SREGISTRY_AWS_BASE. */
function namedHost(
  referenceHost: string | undefined,
  base: Sourced<string> | undefined,
): Sourced<EcrHost> | undefined {
  const named = referenceHost === undefined ? undefined : parseEcrHost(withoutPort(referenceHost))
  if (named !== undefined) return { value: named, source: referenceSource }
  const own = base === undefined ? undefined : parseEcrHost(withoutPort(splitBase(base).host))
  if (own === undefined || base === undefined) return undefined
  return { value: own, source: base.source }
}

function withoutPort(host: string): string {
  return host.replace(/:\d+$/, '')
}

// A host in the reference is an address, SREGISTRY_AWS_BASE only a setting: it gives way to its peers.
function accountOf(found: Finder, host: Sourced<EcrHost> | undefined): Sourced<string> | undefined {
  const fromHost = host && { value: host.value.account, source: host.source }
  const fromReference = host?.source === referenceSource ? fromHost : undefined
  return fromReference ?? found.own('account', 'SREGISTRY_AWS_ID') ?? fromHost
}

function regionOf(found: Finder, host: Sourced<EcrHost> | undefined): Sourced<string> | undefined {
  const fromHost = host && { value: host.value.region, source: host.source }
  const fromReference = host?.source === referenceSource ? fromHost : undefined
  return (
    fromReference ??
    found.own('region', 'SREGISTRY_AWS_ZONE') ??
    fromHost ??
    found.env('AWS_REGION', 'AWS_DEFAULT_REGION') ??
    found.shared('region')
  )
}

function checked(
  setting: Sourced<string> | undefined,
  pattern: RegExp,
  name: string,
  should: string,
): Sourced<string> | undefined {
  if (setting === undefined || pattern.test(setting.value)) return setting
  throw new SregistryError(
    'SETTING_INVALID',
    `the AWS ${name} ${JSON.stringify(setting.value)} (${setting.source}) makes no sense`,
    { hint: `it is ${should}` },
  )
}

function checkVersion(version: Sourced<string> | undefined): void {
  if (version === undefined || version.value === 'v2') return
  throw new SregistryError(
    'SETTING_INVALID',
    `the registry protocol ${JSON.stringify(version.value)} (${version.source}) is not known`,
    { hint: 'unset it: only v2 exists' },
  )
}

function variantOf(found: Finder, host: EcrHost | undefined): EndpointVariant {
  const fips = found.env('AWS_USE_FIPS_ENDPOINT') ?? found.shared('use_fips_endpoint')
  const dual = found.env('AWS_USE_DUALSTACK_ENDPOINT') ?? found.shared('use_dualstack_endpoint')
  return {
    fips: host?.fips || fips?.value.toLowerCase() === 'true',
    dualStack: host?.dualStack || dual?.value.toLowerCase() === 'true',
  }
}

type Place = Pick<AwsSettings, 'account' | 'region' | 'variant'>

function registryHost(
  referenceHost: string | undefined,
  base: Sourced<string> | undefined,
  { account, region, variant }: Place,
): Sourced<string> | undefined {
  if (referenceHost) return { value: referenceHost, source: referenceSource }
  if (base !== undefined) return { value: splitBase(base).host, source: base.source }
  if (account === undefined || region === undefined) return undefined
  return {
    value: registryHostOf(account.value, region.value, variant),
    source: `account (${account.source}) and region (${region.source})`,
  }
}

/** `http://host:port/v2/` and `host:port` alike. */
function splitBase(base: Sourced<string>): { readonly host: string; readonly plainHttp?: boolean } {
  const match = /^(?:(https?):\/\/)?([^/?#@\s]+)(?:\/v2)?\/?$/.exec(base.value)
  const [, scheme, host] = match ?? []
  if (host === undefined) {
    throw new SregistryError(
      'SETTING_INVALID',
      `the registry address (${base.source}) is no host`,
      {
        hint: 'give host or host:port, like 123456789012.dkr.ecr.us-east-1.amazonaws.com',
      },
    )
  }
  return scheme === undefined ? { host } : { host, plainHttp: scheme === 'http' }
}

function plainHttpOf(
  input: AwsSettingsInput,
  found: Finder,
  base: Sourced<string> | undefined,
): Sourced<boolean> {
  const option = input.options?.plainHttp
  if (option !== undefined) return { value: option, source: 'option plainHttp' }
  const scheme = base === undefined ? undefined : splitBase(base).plainHttp
  if (scheme !== undefined && base !== undefined) return { value: scheme, source: base.source }
  const setting = found.own(undefined, 'SREGISTRY_AWS_NOHTTPS')
  return { value: parseFlag(setting?.value ?? 'no'), source: setting?.source ?? 'default' }
}

/** @see AWS SDKs and Tools Reference Guide, "Service-specific endpoints" */
function endpointOf(found: Finder): Sourced<string> | undefined {
  const given = found.option('endpoint') ?? configuredEndpoint(found)
  if (given === undefined || /^https?:\/\/[^@\s]+$/.test(given.value)) return given
  throw new SregistryError('SETTING_INVALID', `the ECR endpoint (${given.source}) is no address`, {
    hint: 'give a URL without user and password, like https://api.ecr.us-east-1.amazonaws.com',
  })
}

function configuredEndpoint(found: Finder): Sourced<string> | undefined {
  const ignored =
    found.env('AWS_IGNORE_CONFIGURED_ENDPOINT_URLS') ??
    found.shared('ignore_configured_endpoint_urls')
  if (ignored?.value.toLowerCase() === 'true') return undefined
  return (
    found.env('AWS_ENDPOINT_URL_ECR', 'AWS_ENDPOINT_URL') ??
    found.service('endpoint_url') ??
    found.shared('endpoint_url')
  )
}

function keyPairOf(found: Finder, { options }: AwsSettingsInput): Sourced<KeyPair> | undefined {
  const id = found.own('accessKeyId', 'SREGISTRY_AWS_KEY')
  const secret = found.own('secretAccessKey', 'SREGISTRY_AWS_SECRET')
  if (id === undefined && secret === undefined) return undefined
  if (id === undefined || secret === undefined) throw halfPair(id, secret)
  const token = options?.sessionToken
  return {
    value: {
      accessKeyId: id.value,
      secretAccessKey: new Secret(secret.value),
      ...(token === undefined ? {} : { sessionToken: new Secret(token) }),
    },
    source: id.source,
  }
}

function halfPair(
  id: Sourced<string> | undefined,
  secret: Sourced<string> | undefined,
): SregistryError {
  const missing = id === undefined ? 'SREGISTRY_AWS_KEY' : 'SREGISTRY_AWS_SECRET'
  const source = (id ?? secret)?.source ?? ''
  return new SregistryError(
    'SETTING_MISSING',
    `half a key pair (${source}): ${missing} is missing`,
    {
      hint: `set ${missing} too, or unset the other: then the AWS credential chain is used`,
    },
  )
}
