/**
 * What to tell the person for each error name of ECR, STS and the credential providers: a row each of
 * REGISTRY § 1.2. Matched by name, never by status: AWS answers nearly everything with 400.
 */
import type { ErrorCode } from '../errors/sregistry-error.ts'
import { restoreCommand } from './archived-image.ts'
import { denialHint } from './denial-hint.ts'
import { credentialsOperation, type SdkErrorContext } from './sdk-error-context.ts'
import { skewSentence } from './server-clock.ts'

type SdkErrorInput = {
  readonly name: string
  /** AWS's own sentence, already fit for people. */
  readonly message: string
  readonly context: SdkErrorContext
}
type SdkErrorOutput = {
  readonly code: ErrorCode
  readonly text: string
  readonly hint: string
}
export type SdkErrorRule = (input: SdkErrorInput) => SdkErrorOutput

const expired: SdkErrorRule = ({ context }) => ({
  code: 'CREDENTIALS_EXPIRED',
  text: `the AWS session ${from(context)} has expired`,
  hint: `start a new one: aws sso login${profileFlag(context)}, or a new role or MFA session; then run it again`,
})

const unknownKey: SdkErrorRule = ({ context }) => ({
  code: 'CREDENTIALS_INVALID',
  text: `AWS does not know the access key ${from(context)} (asked in ${context.region})`,
  hint:
    context.keyId?.startsWith('ASIA') && context.hasSessionToken === false
      ? 'a key that starts with ASIA needs its session token: export AWS_SESSION_TOKEN too'
      : `a typo, a deleted key, or a key of another partition (China, GovCloud): ${mendOfKey(context)}`,
})

/** The `aws` command does not look at our own settings: what it says of them is of another key. */
function mendOfKey(context: SdkErrorContext): string {
  return context.isOwnPair === true
    ? `enter the pair again: ${placeOfPair(context)}`
    : `check it with aws sts get-caller-identity${profileFlag(context)}`
}

const wrongSignature: SdkErrorRule = ({ message, context }) => {
  if (/scoped to a valid region/i.test(message)) return wrongRegion(context)
  const skew = skewSentence(context.clock)
  if (skew !== undefined || /Signature (expired|not yet current)/i.test(message)) {
    return {
      code: 'CLOCK_SKEW',
      text: `AWS refused the signature: ${skew ?? message}`,
      hint: 'set the clock: timedatectl set-ntp true (or ask the administrator of this machine)',
    }
  }
  return {
    code: 'CREDENTIALS_INVALID',
    text: `the secret key ${from(context)} does not belong to its access key: AWS refused the signature`,
    hint: `enter the pair again: ${placeOfPair(context)}${viaProxy(context)}`,
  }
}

/** Where the pair is: `aws configure` changes nothing for who has it in the environment. */
function placeOfPair(context: SdkErrorContext): string {
  const { credentialSource = '' } = context
  if (credentialSource === 'environment variables') {
    return 'export AWS_ACCESS_KEY_ID=… AWS_SECRET_ACCESS_KEY=…'
  }
  if (context.isOwnPair !== true) return `aws configure${profileFlag(context)}`
  return credentialSource.startsWith('environment')
    ? 'export SREGISTRY_AWS_KEY=… SREGISTRY_AWS_SECRET=…, or unset both to use the AWS credential chain'
    : `SREGISTRY_AWS_KEY and SREGISTRY_AWS_SECRET come from ${credentialSource}`
}

function wrongRegion({ endpoint, region }: SdkErrorContext): SdkErrorOutput {
  return {
    code: 'SETTING_INVALID',
    text: `${endpoint ?? 'the control plane'} is not in ${region}, which the request was signed for`,
    hint: 'set the region that it is in: export SREGISTRY_AWS_ZONE=…',
  }
}

const lostHeader: SdkErrorRule = ({ name, context }) => ({
  code: 'CREDENTIALS_INVALID',
  text: `the request for ${context.operation} reached AWS without its signature (${name})`,
  hint: `${context.proxy === undefined ? 'a proxy' : `the proxy ${context.proxy}`} seems to drop the Authorization header: add the host to NO_PROXY`,
})

/** `… is not authorized to perform: ecr:X on resource: ARN because …`: the same in both planes. */
const denial = /is not authorized to perform: (\S+)(?: on resource: (\S+))?/

const denied: SdkErrorRule = ({ message, context }) => {
  const [, action, resource] = denial.exec(message) ?? []
  if (action === undefined && isOfCredentials(context)) return roleRefused(message, context)
  return {
    code: 'ACCESS_DENIED',
    text: message || `AWS refuses ${context.operation} in ${context.region}`,
    hint: denialHint(message, action ?? `ecr:${context.operation}`, resource, context),
  }
}

/** STS refuses to give a role's credentials without naming an action. */
function roleRefused(message: string, context: SdkErrorContext): SdkErrorOutput {
  const who = context.profile === undefined ? '' : ` of profile ${context.profile}`
  if (/^MultiFactorAuthentication failed/.test(message)) {
    return {
      code: 'CREDENTIALS_INVALID',
      text: `AWS refused the code of the MFA device${who}`,
      hint: 'run it again with the code that the device shows then: each code is taken once; or its clock is wrong',
    }
  }
  return {
    code: 'ACCESS_DENIED',
    text: `AWS refused the credentials${who}: ${message}`,
    hint: "the identity's policy must allow sts:AssumeRole for the role, and the role's trust policy must let the identity in",
  }
}

const repositoryMissing: SdkErrorRule = ({ message, context }) => ({
  code: 'NAME_UNKNOWN',
  text: `no repository ${quoted(context.repository)} in ${place(context)}${context.repository ? '' : `: ${message}`}`,
  hint: 'look at the names there: sregistry repositories, or client.repositories(); wrong region or account? or create it: sregistry create NAME, or client.createRepository(name)',
})

const imageMissing: SdkErrorRule = ({ message, context }) => {
  const { repository, image = '?' } = context
  return {
    code: 'MANIFEST_UNKNOWN',
    text:
      repository === undefined ? message : `no image ${repository}:${image} in ${place(context)}`,
    hint: seeTags(repository),
  }
}

function seeTags(repository = 'REPOSITORY'): string {
  return `see what is there: sregistry tags ${repository}, or client.tags('${repository}')`
}

const throttled: SdkErrorRule = ({ context }) => ({
  code: 'THROTTLED',
  text: `${service(context)} asks for fewer requests (${context.operation}); it was tried again in vain`,
  hint: 'wait a minute; many jobs of one account share its quota',
})

const serverTrouble: SdkErrorRule = ({ name, context }) => ({
  code: 'REGISTRY_ERROR',
  text: `${service(context)} failed at ${context.operation} (${name}); it was tried again in vain`,
  hint: 'try later; the state of the service is at https://health.aws.amazon.com/',
})

const archived: SdkErrorRule = ({ message, context: { repository, image } }) => ({
  code: 'BLOB_UNKNOWN',
  text: message,
  hint: `if the image is archived, restore it: ${restoreCommand(repository, image)}; a layer without an image must be pushed again`,
})

const upstream: SdkErrorRule = ({ message }) => ({
  code: 'REGISTRY_ERROR',
  text: `the pull-through cache cannot reach its upstream: ${message}`,
  hint: "the registry's owner must renew the upstream's secret of the pull-through cache rule",
})

const invalidInput: SdkErrorRule = ({ message, context }) =>
  isOfCredentials(context)
    ? {
        code: 'SETTING_INVALID',
        text: `AWS does not accept what profile ${context.profile ?? 'default'} asks for: ${message}`,
        hint: 'mend the profile in ~/.aws/config: role_arn, role_session_name, duration_seconds',
      }
    : {
        code: 'USAGE',
        text: `ECR does not accept the input of ${context.operation}: ${message}`,
        hint: 'mend the name, tag or number that the message quotes',
      }

const exists: SdkErrorRule = ({ message, context }) => ({
  code: 'REPOSITORY_EXISTS',
  text: context.repository ? `the repository ${context.repository} exists already` : message,
  hint: 'use it as it is',
})

const htmlInstead: SdkErrorRule = ({ context }) => ({
  code: 'PROTOCOL_ERROR',
  text: `what answered for ECR in ${context.region} is not ECR: its answer is no JSON`,
  hint: `${context.proxy === undefined ? 'a proxy or a login page' : `the proxy ${context.proxy}`} stands in between: check HTTPS_PROXY, NO_PROXY and AWS_ENDPOINT_URL_ECR`,
})

const noCredentials: SdkErrorRule = ({ message, context }) => {
  const diagnosis = context.diagnose?.(message)
  return {
    code: diagnosis?.fault === 'login-expired' ? 'CREDENTIALS_EXPIRED' : 'CREDENTIALS_MISSING',
    text: diagnosis?.message ?? message,
    hint:
      diagnosis?.hint ??
      'export AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run aws configure, or aws sso login',
  }
}

const policyMissing: SdkErrorRule = ({ context }) => ({
  code: 'NAME_UNKNOWN',
  text: `the repository ${quoted(context.repository)} has no policy`,
  hint: 'only identities of its own account reach it; that is the default',
})

const notScanned: SdkErrorRule = ({ context }) => ({
  code: 'MANIFEST_UNKNOWN',
  text: `${context.repository ?? 'the image'} has not been scanned`,
  hint: 'start a scan: aws ecr start-image-scan, or switch on scanning for the registry',
})

const limit: SdkErrorRule = ({ message, context }) => ({
  code: 'LIMIT_EXCEEDED',
  text: `a quota of the account is used up (${context.operation}): ${message}`,
  hint: 'delete what is not needed, or ask for more in Service Quotas',
})

const keyManagement: SdkErrorRule = ({ message }) => ({
  code: 'ACCESS_DENIED',
  text: `the repository's encryption key cannot be used: ${message}`,
  hint: "ask the repository's owner: the KMS key is disabled, or kms:Decrypt is missing",
})

const optIn: SdkErrorRule = ({ context }) => ({
  code: 'ACCESS_DENIED',
  text: `the account may not use ECR in ${context.region}`,
  hint: 'the account is not subscribed, or the region is off: enable it in the account settings',
})

const wrongTarget: SdkErrorRule = ({ name, context }) => ({
  code: 'UNSUPPORTED',
  text: `${context.endpoint ?? `ECR in ${context.region}`} does not know ${context.operation} (${name})`,
  hint: 'is AWS_ENDPOINT_URL_ECR the address of an ECR?',
})

/** By error name. */
export const sdkErrorRules: Readonly<Record<string, SdkErrorRule>> = {
  CredentialsProviderError: noCredentials,
  TokenProviderError: noCredentials,
  ProviderError: noCredentials,
  ExpiredTokenException: expired,
  ExpiredToken: expired,
  RequestExpired: wrongSignature,
  UnrecognizedClientException: unknownKey,
  InvalidClientTokenId: unknownKey,
  InvalidSignatureException: wrongSignature,
  SignatureDoesNotMatch: wrongSignature,
  RequestTimeTooSkewed: wrongSignature,
  IncompleteSignatureException: lostHeader,
  IncompleteSignature: lostHeader,
  MissingAuthenticationTokenException: lostHeader,
  MissingAuthenticationToken: lostHeader,
  AccessDeniedException: denied,
  AccessDenied: denied,
  RepositoryNotFoundException: repositoryMissing,
  ImageNotFoundException: imageMissing,
  ThrottlingException: throttled,
  Throttling: throttled,
  TooManyRequestsException: throttled,
  RequestLimitExceeded: throttled,
  LimitExceededException: limit,
  LayerInaccessibleException: archived,
  LayersNotFoundException: archived,
  UnableToGetUpstreamImageException: upstream,
  UnableToGetUpstreamLayerException: upstream,
  InvalidParameterException: invalidInput,
  InvalidTagParameterException: invalidInput,
  ValidationException: invalidInput,
  ValidationError: invalidInput,
  KmsException: keyManagement,
  ServerException: serverTrouble,
  InternalFailure: serverTrouble,
  InternalServerError: serverTrouble,
  ServiceUnavailable: serverTrouble,
  ServiceUnavailableException: serverTrouble,
  OptInRequired: optIn,
  RepositoryAlreadyExistsException: exists,
  RepositoryPolicyNotFoundException: policyMissing,
  ScanNotFoundException: notScanned,
  UnknownOperationException: wrongTarget,
  SyntaxError: htmlInstead,
}

/** After these the client is made anew: the person may have mended what it was made from. */
export const credentialErrorNames: ReadonlySet<string> = new Set([
  'CredentialsProviderError',
  'TokenProviderError',
  'ProviderError',
  'ExpiredTokenException',
  'ExpiredToken',
  'UnrecognizedClientException',
  'InvalidClientTokenId',
  'InvalidSignatureException',
  'SignatureDoesNotMatch',
  'IncompleteSignatureException',
  'MissingAuthenticationTokenException',
])

function from(context: SdkErrorContext): string {
  const { credentialSource } = context
  if (credentialSource !== undefined) return `from ${credentialSource}`
  const profile = keyProfile(context)
  return profile === undefined ? 'in use' : `of profile ${profile}`
}

function isOfCredentials({ operation }: SdkErrorContext): boolean {
  return operation === credentialsOperation
}

function service(context: SdkErrorContext): string {
  return isOfCredentials(context) ? 'the service of AWS credentials' : `ECR in ${context.region}`
}

/** Whose keys were refused: a role is not given to those of its source. */
function keyProfile(context: SdkErrorContext): string | undefined {
  const { profile } = context
  return isOfCredentials(context) ? (context.keyProfile?.() ?? profile) : profile
}

function profileFlag(context: SdkErrorContext): string {
  const profile = keyProfile(context)
  return profile === undefined ? '' : ` --profile ${profile}`
}

function viaProxy({ proxy }: SdkErrorContext): string {
  return proxy === undefined ? '' : `; or the proxy ${proxy} rewrites requests`
}

function place({ account, region }: SdkErrorContext): string {
  return account === undefined ? region : `the registry of account ${account} in ${region}`
}

function quoted(name: string | undefined): string {
  return name ?? 'of that name'
}
