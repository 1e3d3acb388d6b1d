/**
 * Why there are no credentials. The SDK says "Could not load credentials from any providers" for
 * different faults; we look at the same places and name the one that it is.
 * @see REGISTRY § 2.4
 */
import { existsSync } from 'node:fs'
import type { Sourced } from './aws-setting-finder.ts'
import { containerVariable } from './container-credentials.ts'
import { type CredentialOwner, diagnoseOwner } from './credential-owner-diagnosis.ts'
import {
  type Environment,
  profileChain,
  profileNames,
  profileSection,
  readSharedConfig,
  type SharedConfig,
} from './shared-config.ts'

export type CredentialDiagnosis = {
  /** Which fault it is; `unknown` when the SDK's own message says it best. */
  readonly fault:
    | 'no-configuration'
    | 'unknown-profile'
    | 'half-key-pair'
    | 'missing-source-profile'
    | 'source-profile-ring'
    | 'credential-source'
    | 'container-refused'
    | 'login-expired'
    | 'mfa-needed'
    | 'web-identity'
    | 'process-failed'
    | 'unknown'
  readonly message: string
  readonly hint: string
}

export type DiagnosisInput = {
  readonly env: Environment
  readonly home: string
  readonly profile: Sourced<string>
  /** What the SDK said, fit for people. */
  readonly sdkMessage: string
  /** Default: read anew. */
  readonly shared?: SharedConfig
  /** The time, in milliseconds. Default: the system's. */
  readonly now?: () => number
}

/** What each check looks at. */
export type DiagnosisCase = Required<DiagnosisInput> & {
  /** The profile that has the credentials, or should: the one in force, or the end of its `source_profile`s. */
  readonly owner: CredentialOwner
}

type Check = (one: DiagnosisCase) => CredentialDiagnosis | undefined

/** The first check that finds something is the answer: the order is that of the SDK's chain. */
const checks: readonly Check[] = [
  halfPairInEnvironment,
  unknownProfile,
  missingSourceProfile,
  sourceProfileRing,
  multiFactor,
  diagnoseOwner,
  missingTokenFile,
  refusedContainer,
  nothingConfigured,
]

/** Looks again at what the credential chain looked at. Shows names and paths, never a value. */
export function diagnoseCredentials(input: DiagnosisInput): CredentialDiagnosis {
  const shared = input.shared ?? readSharedConfig(input.env, input.home)
  const name = profileChain(shared, input.profile.value).names.at(-1) ?? input.profile.value
  const owner = { name, section: profileSection(shared, name) }
  const one: DiagnosisCase = { ...input, shared, owner, now: input.now ?? Date.now }
  for (const check of checks) {
    const found = check(one)
    if (found !== undefined) return found
  }
  return {
    fault: 'unknown',
    message: `no AWS credentials: ${input.sdkMessage}`,
    hint: `see what AWS's own tool says: aws sts get-caller-identity --profile ${input.profile.value}`,
  }
}

function halfPairInEnvironment({ env, profile }: DiagnosisCase): CredentialDiagnosis | undefined {
  const hasId = Boolean(env['AWS_ACCESS_KEY_ID'])
  if (hasId === Boolean(env['AWS_SECRET_ACCESS_KEY']) || profile.source !== 'default') {
    return undefined
  }
  const missing = hasId ? 'AWS_SECRET_ACCESS_KEY' : 'AWS_ACCESS_KEY_ID'
  return {
    fault: 'half-key-pair',
    message: `half a key pair in the environment: ${missing} is missing`,
    hint: `export ${missing} too, or unset the other`,
  }
}

function unknownProfile({ profile, shared }: DiagnosisCase): CredentialDiagnosis | undefined {
  const isThere = profileSection(shared, profile.value) !== undefined
  if (isThere || profile.source === 'default') return undefined
  const names = profileNames(shared)
  const there = names.length === 0 ? 'no profiles at all' : names.join(', ')
  return {
    fault: 'unknown-profile',
    message: `the profile ${profile.value} (${profile.source}) is in neither ${shared.configPath} nor ${shared.credentialsPath}`,
    hint: `there are: ${there}; or make it: aws configure --profile ${profile.value}`,
  }
}

function missingSourceProfile({
  owner,
  profile,
  shared,
}: DiagnosisCase): CredentialDiagnosis | undefined {
  if (owner.name === profile.value) return undefined
  const taken = `profile ${profile.value} takes its credentials from profile ${owner.name}`
  if (owner.section === undefined) {
    return {
      fault: 'missing-source-profile',
      message: `${taken}, which is in neither ${shared.configPath} nor ${shared.credentialsPath}`,
      hint: `make it (aws configure --profile ${owner.name}) or mend source_profile in ${shared.configPath}`,
    }
  }
  const credentialKeys = /^(aws_access_key_id|role_arn|sso_|credential_|web_|login_)/
  if (Object.keys(owner.section).some((key) => credentialKeys.test(key))) return undefined
  return {
    fault: 'missing-source-profile',
    message: `${taken}, which has none`,
    hint: `aws configure --profile ${owner.name}`,
  }
}

function sourceProfileRing({
  owner,
  profile,
  shared,
}: DiagnosisCase): CredentialDiagnosis | undefined {
  const { names, isRing } = profileChain(shared, profile.value)
  // a profile may take its role with keys of its own
  if (!isRing || owner.section?.['aws_access_key_id']) return undefined
  const ring = [...names, owner.section?.['source_profile']].join(' → ')
  return {
    fault: 'source-profile-ring',
    message: `profile ${profile.value} takes its credentials from itself: ${ring}`,
    hint: `mend source_profile in ${shared.configPath}: the last one must have credentials of its own`,
  }
}

function multiFactor({
  sdkMessage,
  profile,
  shared,
}: DiagnosisCase): CredentialDiagnosis | undefined {
  if (!/multi-factor/.test(sdkMessage)) return undefined
  const serials = profileChain(shared, profile.value).names.flatMap(
    (name) => profileSection(shared, name)?.['mfa_serial'] ?? [],
  )
  return {
    fault: 'mfa-needed',
    message: `profile ${profile.value} needs a code of the MFA device ${serials.join(', ')}`,
    hint: 'run it on a terminal, where it asks for the code; for a script export the keys of a session: aws sts get-session-token --serial-number … --token-code …',
  }
}

function missingTokenFile({ owner, env }: DiagnosisCase): CredentialDiagnosis | undefined {
  const path = owner.section?.['web_identity_token_file'] ?? env['AWS_WEB_IDENTITY_TOKEN_FILE']
  if (!path || existsSync(path)) return undefined
  return {
    fault: 'web-identity',
    message: `the web identity token file ${path} is not there`,
    hint: 'in Kubernetes: does the pod use the service account with the role (IRSA)? otherwise unset AWS_WEB_IDENTITY_TOKEN_FILE',
  }
}

function refusedContainer({ env, sdkMessage }: DiagnosisCase): CredentialDiagnosis | undefined {
  const variable = containerVariable(env)
  if (variable === undefined) return undefined
  return {
    fault: 'container-refused',
    message: `the container's credential endpoint (${variable}) gave none: ${sdkMessage}`,
    hint: `inside the container: is its task role set, and may the endpoint be reached? outside: unset ${variable}`,
  }
}

function nothingConfigured({ owner, shared, env }: DiagnosisCase): CredentialDiagnosis | undefined {
  const keys = Object.keys(owner.section ?? {})
  if (keys.some((key) => /key|role|sso|credential|login|token/.test(key))) return undefined
  const files = [shared.config === undefined, shared.credentials === undefined].every(Boolean)
    ? `${shared.configPath} and ${shared.credentialsPath} are not there`
    : 'the default profile has none'
  const instance =
    env['AWS_EC2_METADATA_DISABLED'] === 'true' ? '' : ', no EC2 instance answers either'
  return {
    fault: 'no-configuration',
    message: `no AWS credentials: none in the environment, ${files}${instance}`,
    hint: 'one of: aws configure · aws configure sso · export AWS_ACCESS_KEY_ID=… AWS_SECRET_ACCESS_KEY=…',
  }
}
