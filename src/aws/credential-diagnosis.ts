/**
 * Why there are no credentials. The SDK says "Could not load credentials from any providers" for five
 * different faults; we look at the same places and name the one that it is.
 * @see REGISTRY § 2.4
 */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Sourced } from './aws-setting-finder.ts'
import { containerVariable } from './container-credentials.ts'
import {
  type Environment,
  type IniSection,
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
    | 'container-refused'
    | 'sso-expired'
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

type Case = Required<Omit<DiagnosisInput, 'now'>> & {
  readonly now: () => number
  readonly section: IniSection | undefined
}

/** The first check that finds something is the answer: the order is that of the SDK's chain. */
const checks: readonly ((one: Case) => CredentialDiagnosis | undefined)[] = [
  halfPairInEnvironment,
  unknownProfile,
  halfPairInProfile,
  missingSourceProfile,
  multiFactor,
  singleSignOn,
  failedProcess,
  missingTokenFile,
  refusedContainer,
  nothingConfigured,
]

/** Looks again at what the credential chain looked at. Shows names and paths, never a value. */
export function diagnoseCredentials(input: DiagnosisInput): CredentialDiagnosis {
  const shared = input.shared ?? readSharedConfig(input.env, input.home)
  const section = profileSection(shared, input.profile.value)
  const one: Case = { ...input, shared, section, now: input.now ?? Date.now }
  for (const check of checks) {
    const found = check(one)
    if (found !== undefined) return found
  }
  return {
    fault: 'unknown',
    message: `no AWS credentials: ${input.sdkMessage}`,
    hint: 'sregistry doctor shows each source and what it gave',
  }
}

function halfPairInEnvironment({ env, profile }: Case): CredentialDiagnosis | undefined {
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

function unknownProfile({ section, profile, shared }: Case): CredentialDiagnosis | undefined {
  if (section !== undefined || profile.source === 'default') return undefined
  const names = profileNames(shared)
  const there = names.length === 0 ? 'no profiles at all' : names.join(', ')
  return {
    fault: 'unknown-profile',
    message: `the profile ${profile.value} (${profile.source}) is in neither ${shared.configPath} nor ${shared.credentialsPath}`,
    hint: `there are: ${there}; or make it: aws configure --profile ${profile.value}`,
  }
}

function halfPairInProfile({ section, profile, shared }: Case): CredentialDiagnosis | undefined {
  const hasId = Boolean(section?.['aws_access_key_id'])
  if (section === undefined || hasId === Boolean(section['aws_secret_access_key'])) return undefined
  const missing = hasId ? 'aws_secret_access_key' : 'aws_access_key_id'
  return {
    fault: 'half-key-pair',
    message: `half a key pair in profile ${profile.value}: ${missing} is missing in ${shared.credentialsPath}`,
    hint: `aws configure --profile ${profile.value}`,
  }
}

function missingSourceProfile({ section, profile, shared }: Case): CredentialDiagnosis | undefined {
  const source = section?.['source_profile']
  if (!section?.['role_arn'] && !source) return undefined
  if (!source) return roleWithoutSource(section ?? {}, profile)
  const found = profileSection(shared, source)
  if (found === undefined) {
    return {
      fault: 'missing-source-profile',
      message: `profile ${profile.value} takes its credentials from profile ${source}, which is in neither ${shared.configPath} nor ${shared.credentialsPath}`,
      hint: `make it (aws configure --profile ${source}) or mend source_profile in ${shared.configPath}`,
    }
  }
  const hasKeys = found['aws_access_key_id'] && found['aws_secret_access_key']
  if (
    hasKeys ||
    Object.keys(found).some((key) => /^(role_arn|sso_|credential_|web_|login_)/.test(key))
  ) {
    return undefined
  }
  return {
    fault: 'missing-source-profile',
    message: `profile ${profile.value} takes its credentials from profile ${source}, which has none`,
    hint: `aws configure --profile ${source}`,
  }
}

function roleWithoutSource(
  section: IniSection,
  profile: Sourced<string>,
): CredentialDiagnosis | undefined {
  if (section['credential_source'] || section['web_identity_token_file']) return undefined
  return {
    fault: 'missing-source-profile',
    message: `profile ${profile.value} has a role_arn, but nothing says whose credentials may take the role`,
    hint: 'add source_profile = NAME (or credential_source) to the profile',
  }
}

function multiFactor({ sdkMessage, section, profile }: Case): CredentialDiagnosis | undefined {
  if (!/multi-factor/.test(sdkMessage)) return undefined
  return {
    fault: 'mfa-needed',
    message: `profile ${profile.value} needs a code of the MFA device ${section?.['mfa_serial'] ?? ''}`,
    hint: 'run it on a terminal, where it asks for the code; for a script export the keys of a session: aws sts get-session-token --serial-number … --token-code …',
  }
}

function singleSignOn({
  section,
  profile,
  home,
  now,
  shared,
}: Case): CredentialDiagnosis | undefined {
  const session = section?.['sso_session']
  const startUrl =
    section?.['sso_start_url'] ?? shared.config?.get(`sso-session ${session}`)?.['sso_start_url']
  if (session === undefined && startUrl === undefined) return undefined
  const login = `aws sso login --profile ${profile.value}`
  const until = ssoTokenEnd(home, session ?? startUrl ?? '')
  if (until === undefined) {
    return {
      fault: 'sso-expired',
      message: `profile ${profile.value} uses single sign-on, and nobody is logged in`,
      hint: login,
    }
  }
  if (until.getTime() > now()) return undefined
  return {
    fault: 'sso-expired',
    message: `the single sign-on of profile ${profile.value} ended at ${until.toISOString()}`,
    hint: login,
  }
}

/** End of the cached SSO token; undefined when there is none that can be read. */
function ssoTokenEnd(home: string, sessionOrStartUrl: string): Date | undefined {
  const name = createHash('sha1').update(sessionOrStartUrl).digest('hex')
  try {
    const text = readFileSync(join(home, '.aws', 'sso', 'cache', `${name}.json`), 'utf8')
    const until = new Date((JSON.parse(text) as { expiresAt?: string }).expiresAt ?? Number.NaN)
    return Number.isNaN(until.getTime()) ? undefined : until
  } catch {
    return undefined // no file, or a damaged one: a new login mends both
  }
}

function failedProcess({ section, profile, sdkMessage }: Case): CredentialDiagnosis | undefined {
  if (!section?.['credential_process']) return undefined
  const program = section['credential_process'].split(/\s+/)[0]
  return {
    fault: 'process-failed',
    message: `the credential_process of profile ${profile.value} (${program}) gave no credentials`,
    hint: /expired/i.test(sdkMessage)
      ? 'what it gave has expired: log in again where it takes them from'
      : 'run the command of that profile by hand: it must print the JSON of Version 1',
  }
}

function missingTokenFile({ section, env }: Case): CredentialDiagnosis | undefined {
  const path = section?.['web_identity_token_file'] ?? env['AWS_WEB_IDENTITY_TOKEN_FILE']
  if (!path || existsSync(path)) return undefined
  return {
    fault: 'web-identity',
    message: `the web identity token file ${path} is not there`,
    hint: 'in Kubernetes: does the pod use the service account with the role (IRSA)? otherwise unset AWS_WEB_IDENTITY_TOKEN_FILE',
  }
}

function refusedContainer({ env, sdkMessage }: Case): CredentialDiagnosis | undefined {
  const variable = containerVariable(env)
  if (variable === undefined) return undefined
  return {
    fault: 'container-refused',
    message: `the container's credential endpoint (${variable}) gave none: ${sdkMessage}`,
    hint: `inside the container: is its task role set, and may the endpoint be reached? outside: unset ${variable}`,
  }
}

function nothingConfigured({ section, shared, env }: Case): CredentialDiagnosis | undefined {
  if (Object.keys(section ?? {}).some((key) => /key|role|sso|credential|login|token/.test(key))) {
    return undefined
  }
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
