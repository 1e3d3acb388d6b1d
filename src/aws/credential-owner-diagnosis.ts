/**
 * What is wrong with the profile that should have the credentials: the one in force, or the one that
 * its role is taken with. Single sign-on behind a role ends as single sign-on alone does.
 * @see AWS SDKs and Tools Reference Guide, "Credential providers"
 */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { containerVariable } from './container-credentials.ts'
import type { CredentialDiagnosis, DiagnosisCase } from './credential-diagnosis.ts'
import type { IniSection } from './shared-config.ts'

export type CredentialOwner = {
  readonly name: string
  /** Undefined when there is no such profile. */
  readonly section: IniSection | undefined
}

type OwnerCase = Omit<DiagnosisCase, 'owner'> & {
  readonly name: string
  readonly section: IniSection
}

const checks: readonly ((one: OwnerCase) => CredentialDiagnosis | undefined)[] = [
  halfPair,
  roleWithoutSource,
  emptyCredentialSource,
  singleSignOn,
  loginSession,
  failedProcess,
]

/** The first fault of the profile; undefined when there is none to see, or no such profile. */
export function diagnoseOwner({ owner, ...rest }: DiagnosisCase): CredentialDiagnosis | undefined {
  const { name, section } = owner
  if (section === undefined) return undefined
  for (const check of checks) {
    const found = check({ ...rest, name, section })
    if (found !== undefined) return found
  }
  return undefined
}

function halfPair({ name, section, shared }: OwnerCase): CredentialDiagnosis | undefined {
  const hasId = Boolean(section['aws_access_key_id'])
  if (hasId === Boolean(section['aws_secret_access_key'])) return undefined
  const missing = hasId ? 'aws_secret_access_key' : 'aws_access_key_id'
  return {
    fault: 'half-key-pair',
    message: `half a key pair in profile ${name}: ${missing} is missing in ${shared.credentialsPath}`,
    hint: `aws configure --profile ${name}`,
  }
}

function roleWithoutSource({ name, section }: OwnerCase): CredentialDiagnosis | undefined {
  const sources = ['source_profile', 'credential_source', 'web_identity_token_file']
  if (!section['role_arn'] || sources.some((key) => section[key])) return undefined
  return {
    fault: 'missing-source-profile',
    message: `profile ${name} has a role_arn, but nothing says whose credentials may take the role`,
    hint: 'add source_profile = NAME (or credential_source) to the profile',
  }
}

/** What each `credential_source` needs, and what to do where it is not there. */
const credentialSources: Readonly<Record<string, readonly [lacks: string, hint: string]>> = {
  Environment: [
    'the environment, which has none',
    'export AWS_ACCESS_KEY_ID=… AWS_SECRET_ACCESS_KEY=…',
  ],
  EcsContainer: [
    'its container, and AWS_CONTAINER_CREDENTIALS_RELATIVE_URI is not set',
    'inside the container: is its task role set? elsewhere: source_profile = NAME in place of credential_source',
  ],
  Ec2InstanceMetadata: [
    'EC2 instance metadata, which gave none',
    'on the instance: has it a role? elsewhere: source_profile = NAME in place of credential_source',
  ],
}

function emptyCredentialSource(one: OwnerCase): CredentialDiagnosis | undefined {
  const { name, section, shared, env } = one
  const source = section['credential_source']
  // the container's endpoint has said itself what is wrong
  if (!source || (source === 'EcsContainer' && containerVariable(env) !== undefined)) {
    return undefined
  }
  const known = Object.hasOwn(credentialSources, source) ? credentialSources[source] : undefined
  const [lacks, hint] = known ?? [
    `"${source}", which is no credential_source`,
    `one of ${Object.keys(credentialSources).join(', ')} in ${shared.configPath}`,
  ]
  return {
    fault: 'credential-source',
    message: `profile ${name} takes its credentials from ${lacks}`,
    hint,
  }
}

function singleSignOn(one: OwnerCase): CredentialDiagnosis | undefined {
  const { name, section, home, now, shared } = one
  const session = section['sso_session']
  const startUrl =
    section['sso_start_url'] ?? shared.config?.get(`sso-session ${session}`)?.['sso_start_url']
  if (session === undefined && startUrl === undefined) return undefined
  const until = ssoTokenEnd(home, session ?? startUrl ?? '')
  if (until !== undefined && until.getTime() > now()) return undefined
  return {
    fault: 'login-expired',
    message:
      until === undefined
        ? `profile ${name} uses single sign-on, and nobody is logged in`
        : `the single sign-on of profile ${name} ended at ${until.toISOString()}`,
    hint: `aws sso login --profile ${name}`,
  }
}

/** End of the cached SSO token; undefined when there is none that can be read. */
function ssoTokenEnd(home: string, sessionOrStartUrl: string): Date | undefined {
  const file = createHash('sha1').update(sessionOrStartUrl).digest('hex')
  try {
    const text = readFileSync(join(home, '.aws', 'sso', 'cache', `${file}.json`), 'utf8')
    const until = new Date((JSON.parse(text) as { expiresAt?: string }).expiresAt ?? Number.NaN)
    return Number.isNaN(until.getTime()) ? undefined : until
  } catch {
    return undefined // no file, or a damaged one: a new login mends both
  }
}

/** Whatever its session lacks (the SDK then tells of a path, or of a token), a new login mends it. */
function loginSession({ name, section }: OwnerCase): CredentialDiagnosis | undefined {
  if (!section['login_session']) return undefined
  return {
    fault: 'login-expired',
    message: `profile ${name} uses aws login, and nobody is logged in, or no longer`,
    hint: `aws login --profile ${name}`,
  }
}

function failedProcess({ name, section, sdkMessage }: OwnerCase): CredentialDiagnosis | undefined {
  if (!section['credential_process']) return undefined
  const program = section['credential_process'].split(/\s+/)[0]
  return {
    fault: 'process-failed',
    message: `the credential_process of profile ${name} (${program}) gave no credentials`,
    hint: /expired/i.test(sdkMessage)
      ? 'what it gave has expired: log in again where it takes them from'
      : 'run the command of that profile by hand: it must print the JSON of Version 1',
  }
}
