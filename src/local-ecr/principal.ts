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

/** Temporary keys of a role. @param name `ROLE/SESSION`. */
export function assumeRole(account: Account, name: string, expiresAtMs: number): Principal {
  return {
    accessKeyId: `ASIA${randomBytes(8).toString('hex').toUpperCase()}`,
    secretAccessKey: randomBytes(30).toString('base64url'),
    sessionToken: randomBytes(90).toString('base64url'),
    expiresAtMs,
    arn: `arn:${partitionOf(account.region)}:sts::${account.accountId}:assumed-role/${name}`,
  }
}
