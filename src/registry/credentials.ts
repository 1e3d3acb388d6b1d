/** What a registry may be shown, and where it comes from: the seam between this folder and its users. */

export type Credentials =
  /** A name and a password, sent as Basic or shown to the token server. */
  | {
      readonly kind: 'password'
      readonly username: string
      readonly password: string
      readonly from: string
    }
  /** A ready parameter of Basic: ECR's whole `authorizationToken`. */
  | { readonly kind: 'basic-token'; readonly token: string; readonly from: string }
  /** An OAuth refresh token (`identitytoken`), only good at the token server. */
  | { readonly kind: 'identity-token'; readonly token: string; readonly from: string }
  /** A ready Bearer token (`registrytoken`). */
  | { readonly kind: 'bearer-token'; readonly token: string; readonly from: string }

export type CredentialRequest = {
  /** `host[:port]` of the registry; credentials are good for this one alone. */
  readonly host: string
  /** The repository asked for: podman's auth.json may hold an entry for a part of a registry. */
  readonly repository?: string
  /** What the registry did not take: give others (fresh ones), or undefined when there are none. */
  readonly refused?: RefusedCredentials
  readonly signal?: AbortSignal
}

type RefusedCredentials = {
  readonly credentials: Credentials
  readonly status: number
  /** The registry's own words, made safe to show. */
  readonly message: string
}

/**
 * Asked at most once at a time for one registry, and once more when the registry refuses what it gave.
 * Undefined means anonymous. It may throw CREDENTIALS_*; that error is what the user sees.
 */
export type CredentialSource = (request: CredentialRequest) => Promise<Credentials | undefined>

/** The parameter of `Authorization: Basic` (RFC 7617), where these credentials have one. */
export function basicParameter(credentials: Credentials): string | undefined {
  if (credentials.kind === 'basic-token') return credentials.token
  if (credentials.kind !== 'password') return undefined
  return Buffer.from(`${credentials.username}:${credentials.password}`, 'utf8').toString('base64')
}

/** The source for registries that are read without a name. */
export const anonymous: CredentialSource = async () => undefined
