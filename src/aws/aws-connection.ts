/**
 * Settings and the HTTP layer made into what talks to ECR: the control plane, the token, and the
 * credentials that the registry client asks for. Loads nothing of AWS before the first call.
 */
import { SregistryError } from '../errors/sregistry-error.ts'
import type { CredentialSource } from '../registry/credentials.ts'
import type { Transport } from '../registry/transport.ts'
import { type AuthorizationTokenCache, AuthorizationTokenSource } from './authorization-token.ts'
import { authorizationTokenCache } from './authorization-token-cache.ts'
import { type AwsSettings, referenceSource } from './aws-settings.ts'
import { containerVariable } from './container-credentials.ts'
import { diagnoseCredentials } from './credential-diagnosis.ts'
import { EcrControlPlane } from './ecr-client.ts'
import { metadataTimeoutMs } from './instance-metadata.ts'
import { controlPlaneHost } from './partition.ts'
import { ecrCredentialSource } from './registry-credentials.ts'
import type { SdkErrorContext } from './sdk-error-context.ts'
import {
  type Environment,
  profileChain,
  readSharedConfig,
  takesFromContainer,
} from './shared-config.ts'

export type AwsConnectionOptions = {
  readonly settings: AwsSettings
  readonly transport: Pick<Transport, 'dispatcher' | 'proxyOf'>
  readonly env: Environment
  readonly home: string
  /** File for the token between runs (SREGISTRY_CREDENTIALS_CACHE). Default: memory alone. */
  readonly tokenCachePath?: string
  /** Asked for the code of an MFA device. Default: a profile that needs one fails. */
  readonly mfaCode?: (serialNumber: string) => Promise<string>
  /** The time, in milliseconds. Default: the system's. */
  readonly now?: () => number
}

/** Whoever makes one closes it; closing twice is harmless. */
export type AwsConnection = {
  readonly controlPlane: EcrControlPlane
  readonly tokens: AuthorizationTokenSource
  /** For `createRegistryClient`. */
  readonly credentials: CredentialSource
  readonly close: () => void
}

/**
 * @throws {SregistryError} SETTING_MISSING when no region is set anywhere.
 */
export function connectAws(options: AwsConnectionOptions): AwsConnection {
  const { settings, now } = options
  const region = requiredRegion(settings)
  const { endpoint, keyPair, variant } = settings
  const profile = profileToPass(settings)
  const waitMs = metadataTimeoutMs(options.env)
  const controlPlane = new EcrControlPlane({
    region,
    transport: options.transport,
    useFips: variant.fips === true,
    useDualStack: variant.dualStack === true,
    context: errorContext(options, region),
    ...(waitMs === undefined ? {} : { metadataTimeoutMs: waitMs }),
    ...(endpoint === undefined ? {} : { endpoint: endpoint.value }),
    ...containerOf(options),
    ...(keyPair === undefined ? {} : { keyPair: keyPair.value }),
    ...(profile === undefined ? {} : { profile }),
    ...(options.mfaCode === undefined ? {} : { mfaCode: options.mfaCode }),
  })
  const cache = tokenCache(options, region)
  const tokens = new AuthorizationTokenSource(controlPlane, {
    ...(cache === undefined ? {} : { cache }),
    ...(now === undefined ? {} : { now }),
  })
  return {
    controlPlane,
    tokens,
    credentials: ecrCredentialSource(tokens, ownHost(settings)),
    close: () => controlPlane.close(),
  }
}

function containerOf({ env, home, settings }: AwsConnectionOptions) {
  if (containerVariable(env) === undefined) return {}
  const isSourceOfRole = () =>
    takesFromContainer(readSharedConfig(env, home), settings.profile.value)
  return { container: { env, isSourceOfRole } }
}

// A host in the reference is what somebody typed or pasted, no setting: it earns no trust by itself.
function ownHost({ registryHost }: AwsSettings): string | undefined {
  return registryHost?.source === referenceSource ? undefined : registryHost?.value
}

function requiredRegion({ region }: AwsSettings): string {
  if (region !== undefined) return region.value
  throw new SregistryError('SETTING_MISSING', 'no AWS region is set', {
    hint: 'export SREGISTRY_AWS_ZONE=us-east-1 (or AWS_REGION), or name the registry in full: aws://ACCOUNT.dkr.ecr.REGION.amazonaws.com/NAME',
  })
}

// Naming the default profile would make the SDK skip the keys of the environment.
function profileToPass({ profile }: AwsSettings): string | undefined {
  return profile.source === 'default' ? undefined : profile.value
}

function errorContext(options: AwsConnectionOptions, region: string): Partial<SdkErrorContext> {
  const { settings, transport, env, home } = options
  const { keyPair, account, endpoint } = settings
  const url = endpoint?.value ?? `https://${controlPlaneHost(region, settings.variant)}`
  const proxy = transport.proxyOf(new URL(url))
  return {
    diagnose: (sdkMessage) =>
      diagnoseCredentials({ env, home, profile: settings.profile, sdkMessage }),
    keyProfile: () =>
      profileChain(readSharedConfig(env, home), settings.profile.value).names.at(-1),
    ...(account === undefined ? {} : { account: account.value }),
    ...(proxy === undefined ? {} : { proxy }),
    ...(keyPair === undefined
      ? {}
      : {
          keyId: keyPair.value.accessKeyId,
          hasSessionToken: keyPair.value.sessionToken !== undefined,
          credentialSource: keyPair.source,
          isOwnPair: true,
        }),
  }
}

function tokenCache(
  { env, settings, tokenCachePath }: AwsConnectionOptions,
  region: string,
): AuthorizationTokenCache | undefined {
  if (tokenCachePath === undefined) return undefined
  const { endpoint, keyPair, profile } = settings
  const keyId = keyPair?.value.accessKeyId ?? env['AWS_ACCESS_KEY_ID'] ?? ''
  return authorizationTokenCache(tokenCachePath, [
    region,
    endpoint?.value ?? '',
    profile.value,
    keyId,
  ])
}
