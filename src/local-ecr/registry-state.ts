/** What the three listeners share: the account, its content, its secrets and its clock. */
import type { Account } from './account.ts'
import type { AuthorizationTokens } from './authorization-token.ts'
import type { BlobStore } from './blob-store.ts'
import type { PageTokens } from './page-token.ts'
import type { Policy } from './policy.ts'
import type { PresignedUrls } from './presigned-url.ts'
import type { Principal } from './principal.ts'
import type { RepositoryStore } from './repository-store.ts'

/** May be changed while the emulator runs. */
export type LocalEcrSettings = {
  /** Life of an authorization token; ECR: 12 h. */
  tokenTtlSeconds: number
  /** Life of a presigned URL; ECR: 1 h. */
  urlTtlSeconds: number
  /** Upper bound of every page; a client that asks for more gets this many. */
  pageSize: number
  /** How far the emulator's clock is ahead of `now` (behind when negative). */
  clockOffsetSeconds: number
}

export type RegistryState = {
  readonly account: Account
  readonly settings: LocalEcrSettings
  /** The emulator's time, with its offset. */
  readonly nowMs: () => number
  readonly blobs: BlobStore
  readonly repositories: RepositoryStore
  readonly principals: Map<string, Principal>
  readonly policy: Policy
  readonly tokens: AuthorizationTokens
  readonly urls: PresignedUrls
  readonly pages: PageTokens
}
