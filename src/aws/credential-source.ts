/**
 * Which provider gave the credentials, in words. The SDK leaves marks of those that took part
 * (`$source`); instance metadata alone leaves none.
 * @see REGISTRY § 2.4
 */

/** What the SDK's provider chain gives. Holds secrets: it stays inside `src/aws`. */
export type AwsCredentialIdentity = {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
  readonly expiration?: Date
  readonly accountId?: string
  /** Which providers took part (core `setCredentialFeature`). */
  readonly $source?: Readonly<Record<string, string>>
}

/** Marks of the SDK (core `setCredentialFeature`), the outermost provider first. */
const marks: readonly (readonly [string, (profile: string) => string])[] = [
  ['CREDENTIALS_PROFILE_SOURCE_PROFILE', (profile) => `profile ${profile} (assumed role)`],
  ['CREDENTIALS_PROFILE_STS_WEB_ID_TOKEN', (profile) => `profile ${profile} (web identity token)`],
  ['CREDENTIALS_PROFILE_SSO', (profile) => `profile ${profile} (single sign-on)`],
  ['CREDENTIALS_PROFILE_SSO_LEGACY', (profile) => `profile ${profile} (single sign-on)`],
  ['CREDENTIALS_PROFILE_PROCESS', (profile) => `profile ${profile} (credential_process)`],
  ['CREDENTIALS_PROFILE_LOGIN', (profile) => `profile ${profile} (aws login)`],
  ['CREDENTIALS_PROFILE_NAMED_PROVIDER', (profile) => `profile ${profile} (credential_source)`],
  ['CREDENTIALS_PROFILE', (profile) => `profile ${profile} (static keys)`],
  ['CREDENTIALS_ENV_VARS_STS_WEB_ID_TOKEN', () => 'web identity token of the environment (IRSA)'],
  ['CREDENTIALS_STS_ASSUME_ROLE_WEB_ID', () => 'web identity token'],
  ['CREDENTIALS_STS_ASSUME_ROLE', () => 'assumed role'],
  ['CREDENTIALS_SSO', () => 'single sign-on'],
  ['CREDENTIALS_SSO_LEGACY', () => 'single sign-on'],
  ['CREDENTIALS_PROCESS', () => 'credential_process'],
  ['CREDENTIALS_LOGIN', () => 'aws login'],
  ['CREDENTIALS_ENV_VARS', () => 'environment variables'],
  ['CREDENTIALS_HTTP', () => 'container credentials'],
  ['CREDENTIALS_CODE', () => 'given by the caller'],
]

/** In words, which provider gave these credentials. */
export function credentialSource(identity: AwsCredentialIdentity, profile: string): string {
  const source = identity.$source ?? {}
  const mark = marks.find(([name]) => Object.hasOwn(source, name))
  return mark === undefined ? 'EC2 instance metadata' : mark[1](profile)
}
