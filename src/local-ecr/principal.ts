/** The identities that may call this registry, and the keys they sign with. */
import { randomBytes } from 'node:crypto'
import type { Account } from './account.ts'
import { partitionOf } from './account.ts'

export type Principal = {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  /** Set for temporary keys; the caller must send it too. */
  readonly sessionToken?: string
  /** Milliseconds since the epoch after which a temporary key is refused. */
  readonly expiresAtMs?: number
  /** Shown in AccessDenied messages and by GetCallerIdentity. */
  readonly arn: string
}

/** A long-lived key of an IAM user, new in each run. */
export function createUser(account: Account, name: string): Principal {
  return {
    accessKeyId: `AKIA${randomBytes(8).toString('hex').toUpperCase()}`,
    secretAccessKey: randomBytes(30).toString('base64url'),
    arn: `arn:${partitionOf(account.region)}:iam::${account.accountId}:user/${name}`,
  }
}
