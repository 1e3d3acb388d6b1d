/** Whose credentials are in use and where they came from, without the credentials. */
import type { AwsSettings } from './aws-settings.ts'
import { credentialSource } from './credential-source.ts'
import type { EcrControlPlane } from './ecr-client.ts'
import { maskKeyId } from './secret.ts'

export type CredentialDescription = {
  /** In words: `environment variables`, `profile work (static keys)`. */
  readonly source: string
  /** `AKIA…X7QZ` */
  readonly keyId: string
  /** Session keys (role, SSO, MFA) have a token beside the pair, and an end. */
  readonly isTemporary: boolean
  readonly expiresAt: Date | undefined
  /** Where the provider knows it: roles, SSO, `aws_account_id`. */
  readonly account: string | undefined
}

/**
 * Resolves the credentials, without a call to ECR (roles and SSO call their own service).
 * @throws {SregistryError} CREDENTIALS_MISSING, CREDENTIALS_EXPIRED and their siblings.
 */
export async function describeCredentials(
  controlPlane: EcrControlPlane,
  settings: Pick<AwsSettings, 'keyPair' | 'profile'>,
  signal?: AbortSignal,
): Promise<CredentialDescription> {
  const identity = await controlPlane.credentials(signal)
  const source = settings.keyPair?.source ?? credentialSource(identity, settings.profile.value)
  return {
    source,
    keyId: maskKeyId(identity.accessKeyId),
    isTemporary: identity.sessionToken !== undefined,
    expiresAt: identity.expiration,
    account: identity.accountId,
  }
}
