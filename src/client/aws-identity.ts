/** Who one is to AWS, the registry's login, and the policies that allow what. */
import {
  crossAccountPolicy,
  identityPolicy,
  type PolicyDocument,
  type PolicyKind,
  policyKinds,
} from '../aws/policy.ts'
import { callerNamedIn, whoAmI } from '../aws/who-am-i.ts'
import { isSregistryError, SregistryError } from '../errors/sregistry-error.ts'
import type { AwsRegistry } from './aws-registries.ts'
import type { CallOptions, PolicyOptions } from './call-options.ts'
import type { Identity, TokenFacts } from './registry-facts.ts'

/** @throws {SregistryError} CREDENTIALS_MISSING and its siblings, ACCESS_DENIED … */
export async function identityOf(
  { connection, settings }: AwsRegistry,
  { signal }: CallOptions,
): Promise<Identity> {
  const found = await whoAmI(connection, settings, signal)
  const { source, keyId, isTemporary, expiresAt } = found.credentials
  const { account, region, registryHost } = found
  const registry = settings.registryHost?.value ?? registryHost
  return { account, provider: source, keyId, isTemporary, expiresAt, region, registry }
}

/** Asks for a token, or takes the one at hand; says nothing of its secret. */
export async function tokenFacts(
  { connection }: AwsRegistry,
  { signal }: CallOptions,
): Promise<TokenFacts> {
  const { username, registryHost, obtainedAt, expiresAt } = await connection.tokens.get(signal)
  return { username, password: '****', registry: registryHost, obtainedAt, expiresAt }
}

/** The password of the user `AWS`: for scripts, never for a screen. */
export async function tokenPassword(
  { connection }: AwsRegistry,
  { signal }: CallOptions,
): Promise<string> {
  return (await connection.tokens.get(signal)).password.reveal()
}

/** Kinds of `client.policy`. */
const kinds = [...policyKinds, 'cross-account'] as const

/**
 * The least that must be allowed, as JSON to paste.
 * @throws {SregistryError} USAGE for an unknown kind; SETTING_MISSING without a region; as `whoAmI` when
 *   no setting tells the account.
 */
export async function policyText(
  registry: AwsRegistry,
  kind: string,
  options: PolicyOptions,
): Promise<string> {
  return JSON.stringify(await policyOf(registry, knownKind(kind), options), undefined, 2)
}

async function policyOf(
  registry: AwsRegistry,
  kind: (typeof kinds)[number],
  options: PolicyOptions,
): Promise<PolicyDocument> {
  const { region } = registry.connection.controlPlane
  if (kind === 'cross-account') {
    return crossAccountPolicy(region, options.readers ?? [await callerAccount(registry, options)])
  }
  // who has no rights yet must be able to print what to ask for: the settings' account needs no call
  const account = registry.account ?? (await callerAccount(registry, options))
  const { repository } = options
  const target = { account, region, ...(repository === undefined ? {} : { repository }) }
  return identityPolicy(kind satisfies PolicyKind, target)
}

function knownKind(kind: string): (typeof kinds)[number] {
  const known = kinds.find((one) => one === kind)
  if (known !== undefined) return known
  throw new SregistryError('USAGE', `there is no policy "${kind.slice(0, 40)}"`, {
    hint: `it is one of ${kinds.join(', ')}`,
  })
}

async function callerAccount(
  { connection, settings }: AwsRegistry,
  { signal }: CallOptions,
): Promise<string> {
  const account = await whoAmI(connection, settings, signal).then(
    (found) => found.account,
    accountInRefusal,
  )
  if (account !== undefined) return account
  throw new SregistryError('SETTING_MISSING', 'nothing tells the AWS account', {
    hint: 'export SREGISTRY_AWS_ID=123456789012',
  })
}

/** Who may not even have a token must be able to print what to ask for: the refusal names the caller. */
function accountInRefusal(error: unknown): string {
  const account =
    isSregistryError(error) && error.code === 'ACCESS_DENIED' ? callerNamedIn(error) : undefined
  if (account === undefined) throw error
  return account
}
