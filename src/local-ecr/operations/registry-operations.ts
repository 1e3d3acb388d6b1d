/** GetAuthorizationToken and DescribeRegistry. */
import { type Call, constraint, type Operation, optionalList } from './call.ts'

function getAuthorizationToken({ state, principal, input }: Call): unknown {
  const { account, settings } = state
  const registryIds = optionalList(input, 'registryIds', 10)
  for (const id of registryIds) {
    if (typeof id !== 'string' || !/^\d{12}$/.test(id)) {
      throw constraint('registryIds', 'Member must satisfy regular expression pattern: [0-9]{12}')
    }
  }
  const expiresAtMs = state.nowMs() + settings.tokenTtlSeconds * 1000
  const count = Math.max(1, registryIds.length)
  return {
    authorizationData: Array.from({ length: count }, () => ({
      authorizationToken: state.tokens.issue(principal.arn, expiresAtMs),
      expiresAt: expiresAtMs / 1000,
      proxyEndpoint: account.registryUrl,
    })),
  }
}

function describeRegistry({ state }: Call): unknown {
  return { registryId: state.account.accountId, replicationConfiguration: { rules: [] } }
}

export const registryOperations: Readonly<Record<string, Operation>> = {
  GetAuthorizationToken: getAuthorizationToken,
  DescribeRegistry: describeRegistry,
}
