/** ECR's token in the form that the registry client asks for credentials. */
import type { CredentialSource } from '../registry/credentials.ts'
import type { AuthorizationToken, AuthorizationTokenSource } from './authorization-token.ts'

/**
 * Gives the token at hand; after a refusal a new one, when a new one can help: an unknown (401) or an
 * expired token (403 with that word, REGISTRY § 3). A refusal by policy is not answered: asking again
 * would only repeat it.
 */
export function ecrCredentialSource(tokens: AuthorizationTokenSource): CredentialSource {
  return async ({ refused, signal }) => {
    if (refused === undefined) return asCredentials(await tokens.get(signal))
    const canHelp = refused.status === 401 || /expired/i.test(refused.message)
    if (!canHelp || refused.credentials.kind !== 'basic-token') return undefined
    return asCredentials(await tokens.renew(refused.credentials.token, signal))
  }
}

function asCredentials(token: AuthorizationToken) {
  return {
    kind: 'basic-token',
    token: token.basic.reveal(),
    from: 'ECR GetAuthorizationToken',
  } as const
}
