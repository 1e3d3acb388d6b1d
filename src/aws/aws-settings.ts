/**
 * What the aws client works with, each value with where it comes from. Order: explicit option >
 * host in the reference (region and account only: a name says where it lies) > environment >
 * `~/.sregistry` > the shared AWS configuration > default.
 * @see DESIGN § 7, REGISTRY §§ 1, 2.2
 */
import { SregistryError } from '../errors/sregistry-error.ts'
import { type EcrHost, parseEcrAddress } from '../registry/ecr-host.ts'
import { parseFlag } from '../settings/setting-values.ts'
import { type AwsSettingsInput, type Finder, finder, type Sourced } from './aws-setting-finder.ts'
import type { KeyPair } from './ecr-client.ts'
import { type EndpointVariant, registryHostOf } from './partition.ts'
import { Secret } from './secret.ts'

export type { AwsOptions } from './aws-setting-finder.ts'

/** Source of what the host in a reference says. */
export const referenceSource = 'the host in the reference'

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
  const found = finder(input)
  const base = found.own('base', 'SREGISTRY_AWS_BASE')
  const host = namedHost(input.referenceHost, base)
  const account = checked(accountOf(found, host), /^\d{12}$/, 'account', 'twelve digits, no dashes')
  const region = checked(regionOf(found, host), /^[a-z0-9-]{1,40}$/, 'region', 'like us-east-1')
  checkOneAccount(input.referenceHost, account, base)
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

/** The ECR host that the reference names, or else the one in SREGISTRY_AWS_BASE. */
function namedHost(
  referenceHost: string | undefined,
  base: Sourced<string> | undefined,
): Sourced<EcrHost> | undefined {
  const named = referenceHost === undefined ? undefined : parseEcrAddress(referenceHost)
  if (named !== undefined) return { value: named, source: referenceSource }
  const own = base === undefined ? undefined : parseEcrAddress(splitBase(base).host)
  if (own === undefined || base === undefined) return undefined
  return { value: own, source: base.source }
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

/** Two settings that name two registries: neither may be asked in the other's place. */
function checkOneAccount(
  referenceHost: string | undefined,
  account: Sourced<string> | undefined,
  base: Sourced<string> | undefined,
): void {
  if (referenceHost !== undefined || account === undefined || base === undefined) return
  const host = parseEcrAddress(splitBase(base).host)
  if (host === undefined || host.account === account.value) return
  throw new SregistryError(
    'SETTING_INVALID',
    `the account is ${account.value} (${account.source}), but the registry is that of ${host.account} (${base.source})`,
    { hint: 'unset one of the two, or name the registry in the reference: aws://HOST/NAME' },
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
