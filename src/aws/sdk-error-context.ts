/** What errors of the control plane know of the call that failed. */
import type { CredentialDiagnosis } from './credential-diagnosis.ts'
import type { ServerClock, UnansweredRequest } from './sdk-request-handler.ts'

/** The operation of the provider chain: what STS and SSO say of it is not ECR's. */
export const credentialsOperation = 'credentials'

/** What the call was about: it makes the message name the thing, and the hint fit. */
export type SdkErrorContext = {
  /** Operation of the API, as `DescribeImages`; `credentials` for the provider chain. */
  readonly operation: string
  readonly region: string
  readonly endpoint?: string
  readonly profile?: string
  /** The profile that has the keys: that of the source, where a role is taken. */
  readonly keyProfile?: () => string | undefined
  /** Account (registry id) that was asked. */
  readonly account?: string
  readonly repository?: string
  /** Tag or digest. */
  readonly image?: string
  /** Access key id in use, unmasked: only its kind (`AKIA`, `ASIA`) is looked at. */
  readonly keyId?: string
  readonly hasSessionToken?: boolean
  /** In words: `profile work`, `environment variables`. */
  readonly credentialSource?: string
  /** Whether they are the pair of SREGISTRY_AWS_KEY and _SECRET, which AWS's own tools do not look at. */
  readonly isOwnPair?: boolean
  /** Host of the proxy in use, without its password. */
  readonly proxy?: string
  readonly clock?: ServerClock
  /** The last request of this call that got no answer. */
  readonly unanswered?: UnansweredRequest
  /** Explains why no provider had credentials; the SDK's own sentence is one for five faults. */
  readonly diagnose?: (sdkMessage: string) => CredentialDiagnosis
  readonly signal?: AbortSignal
}
