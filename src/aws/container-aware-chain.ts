/**
 * The SDK's credential chain, with the container's endpoint asked by ourselves (container-credentials.ts
 * tells why). The chain runs with a stand-in for the endpoint's address: whether it comes that far is the
 * chain's own knowledge, and there it stops.
 */
import type { ECRClient } from '@aws-sdk/client-ecr'
import { containerCredentials, withContainerLimits } from './container-credentials.ts'
import type { AwsCredentialIdentity } from './credential-source.ts'
import type { Environment } from './shared-config.ts'

export type ContainerEndpoint = {
  readonly env: Environment
  /** Whether the profile takes a role with these credentials (`credential_source = EcsContainer`). */
  readonly isSourceOfRole: () => boolean
}

type CredentialProvider = () => Promise<AwsCredentialIdentity>

/**
 * @param makeClient A client of the same configuration with these fields on top; its provider is used.
 * @param stop Ends a question to the endpoint that is under way.
 */
export function containerAwareChain(
  makeClient: (more: object) => Pick<ECRClient, 'config'>,
  { env, isSourceOfRole }: ContainerEndpoint,
  stop: AbortSignal,
): CredentialProvider {
  const upToContainer = makeClient(standIn).config.credentials
  return async () => {
    try {
      return await upToContainer()
    } catch (error) {
      if (!(error instanceof ContainerReached)) throw error
    }
    const identity = await containerCredentials(env, stop)
    if (!isSourceOfRole()) return identity
    // only the SDK can take the role, for which it asks the endpoint once more
    return withContainerLimits(env, stop, (patience) => makeClient(patience).config.credentials())
  }
}

/** Passes through the SDK's chain, which goes on after errors with `tryNextLink` alone. */
class ContainerReached extends Error {}

// credential-provider-http: `new URL(options.awsContainerCredentialsFullUri)`, where `''` hides the
// relative one of the environment.
const standIn = {
  awsContainerCredentialsRelativeUri: '',
  awsContainerCredentialsFullUri: {
    toString: () => {
      throw new ContainerReached()
    },
  },
}
