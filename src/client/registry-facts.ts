/** What a client tells of a registry, as plain records: they print as tables and as JSON. */

/** A layer as a manifest lists it. */
export type LayerSummary = {
  readonly digest: string
  readonly mediaType: string
  /** Bytes as stored, compressed. */
  readonly size: number
}

/** A tag that a search found. */
export type RemoteImage = {
  readonly uri: string
  readonly repository: string
  readonly tag: string
  readonly digest?: string | undefined
}

export type RepositorySummary = { readonly name: string; readonly [fact: string]: unknown }

/** What the backend knows of a repository or an image; absent is what it does not know. */
export type Description = { readonly [fact: string]: unknown }

/** Whose credentials are used, and where. */
export type Identity = {
  /** Account of the credentials; undefined when nothing tells it. */
  readonly account: string | undefined
  /** Where the credentials come from, in words: `environment variables`, `profile work (static keys)`. */
  readonly provider: string
  /** `AKIA…X7QZ` */
  readonly keyId: string
  /** Session keys (role, SSO, MFA) end. */
  readonly isTemporary: boolean
  readonly expiresAt: Date | undefined
  readonly region: string
  /** Host[:port] of the registry that references without a host mean. */
  readonly registry: string
}

/** A login at the registry, without its password. */
export type TokenFacts = {
  readonly username: string
  /** Always masked; `token({ raw: true })` gives the password. */
  readonly password: '****'
  readonly registry: string
  readonly obtainedAt: Date
  readonly expiresAt: Date
}
