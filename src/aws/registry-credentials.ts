/** ECR's token in the form that the registry client asks for credentials. */
import { SregistryError } from '../errors/sregistry-error.ts'
import type { CredentialSource } from '../registry/credentials.ts'
import { parseEcrAddress } from '../registry/ecr-host.ts'
import type { AuthorizationToken, AuthorizationTokenSource } from './authorization-token.ts'

/**
 * Gives the token at hand; after a refusal a new one, when a new one can help: an unknown (401) or an
 * expired token (403 with that word, REGISTRY § 3). A refusal by policy is not answered: asking again
 * would only repeat it.
 *
 * One token opens every registry that the principal may use, so it is shown to ECR's own hosts, to
 * the host it was given for and to the one that the user set, never to any other name in a reference.
 * @param ownHost Host[:port] of SREGISTRY_AWS_BASE.
 */
export function ecrCredentialSource(
  tokens: AuthorizationTokenSource,
  ownHost?: string,
): CredentialSource {
  return async ({ host, refused, signal }) => {
    const isKnown = host === ownHost || parseEcrAddress(host) !== undefined
    if (refused === undefined) {
      const token = await tokens.get(signal)
      if (!isKnown && host !== token.registryHost) throw foreignHost(host)
      return asCredentials(token)
    }
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

function foreignHost(host: string): SregistryError {
  return new SregistryError(
    'SETTING_INVALID',
    `${host} is no ECR registry: the AWS token is not sent to it`,
    { hint: `if it is yours: export SREGISTRY_AWS_BASE=${host}; otherwise use docker://${host}/…` },
  )
}
