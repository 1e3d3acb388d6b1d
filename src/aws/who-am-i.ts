/**
 * Which account the credentials belong to. ECR has no GetCallerIdentity: asked in order of cost, and
 * a refusal names the caller too (REGISTRY § 2.5).
 */
import { isSregistryError, type SregistryError } from '../errors/sregistry-error.ts'
import { parseEcrHost } from '../registry/ecr-host.ts'
import type { AwsConnection } from './aws-connection.ts'
import type { AwsSettings } from './aws-settings.ts'
import { type CredentialDescription, describeCredentials } from './credentials.ts'
import { ownRegistryId } from './repositories.ts'

export type WhoAmI = {
  readonly credentials: CredentialDescription
  /** Undefined when nothing tells it. */
  readonly account: string | undefined
  /** What told the account. */
  readonly accountSource: 'credentials' | 'token' | 'DescribeRegistry' | 'refusal' | undefined
  readonly region: string
  /** Host[:port] that the token opens. */
  readonly registryHost: string
}

/**
 * Needs no right beyond those of a pull.
 * @throws {SregistryError} as `describeCredentials` and `AuthorizationTokenSource.get`.
 */
export async function whoAmI(
  connection: AwsConnection,
  settings: AwsSettings,
  signal?: AbortSignal,
): Promise<WhoAmI> {
  const { controlPlane, tokens } = connection
  const credentials = await describeCredentials(controlPlane, settings, signal)
  const { registryHost } = await tokens.get(signal)
  const known = { credentials, region: controlPlane.region, registryHost }
  if (credentials.account !== undefined) {
    return { ...known, account: credentials.account, accountSource: 'credentials' }
  }
  const host = parseEcrHost(registryHost)
  if (host !== undefined) return { ...known, account: host.account, accountSource: 'token' }
  return { ...known, ...(await askedAccount(connection, signal)) }
}

async function askedAccount(
  { controlPlane }: AwsConnection,
  signal: AbortSignal | undefined,
): Promise<Pick<WhoAmI, 'account' | 'accountSource'>> {
  try {
    const account = await ownRegistryId(controlPlane, signal)
    return { account, accountSource: 'DescribeRegistry' }
  } catch (error) {
    if (!isSregistryError(error) || error.code !== 'ACCESS_DENIED') throw error
    const account = callerNamedIn(error)
    return { account, accountSource: account === undefined ? undefined : 'refusal' }
  }
}

/** The account in `User: arn:aws:iam::123456789012:user/me is not authorized …`. */
export function callerNamedIn({ message }: SregistryError): string | undefined {
  return /arn:aws[a-z-]*:(?:iam|sts)::(\d{12}):/.exec(message)?.[1]
}
