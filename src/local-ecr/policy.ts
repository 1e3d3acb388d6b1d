/** What callers may not do: everything is allowed that no denial names. */
import { type Account, repositoryArn } from './account.ts'

export type Denial = {
  /** Without the prefix: `GetAuthorizationToken`, `BatchGetImage`, `ListImages` … */
  readonly action: string
  /** Only for this repository; without it for all. */
  readonly repository?: string
  /** Only for this caller; without it for all. */
  readonly arn?: string
  /**
   * Why: nothing allows it (the default), the repository's owner does not allow it, or a policy
   * denies it explicitly.
   */
  readonly reason?: 'identity' | 'resource' | 'explicit' | 'service-control-policy'
}

export type Access = {
  readonly arn: string
  readonly action: string
  readonly repository?: string | undefined
  /** Default: this registry. */
  readonly registryId?: string
}

export class Policy {
  readonly #denials = new Set<Denial>()
  readonly #account: Account

  constructor(account: Account) {
    this.#account = account
  }

  /** Denies from now on; the function that comes back takes it back. */
  deny(denial: Denial): () => void {
    this.#denials.add(denial)
    return () => {
      this.#denials.delete(denial)
    }
  }

  clear(): void {
    this.#denials.clear()
  }

  /** AWS's sentence when the access is denied, else undefined. */
  refusal(access: Access): string | undefined {
    if ((access.registryId ?? this.#account.accountId) !== this.#account.accountId) {
      return this.#sentence({ action: access.action, reason: 'resource' }, access)
    }
    const denial = [...this.#denials].find((one) => matches(one, access))
    return denial && this.#sentence(denial, access)
  }

  #sentence(denial: Denial, { arn, action, repository, registryId }: Access): string {
    const owner = { ...this.#account, accountId: registryId ?? this.#account.accountId }
    const resource = repository === undefined ? '*' : repositoryArn(owner, repository)
    const reasons = {
      identity: `because no identity-based policy allows the ecr:${action} action`,
      resource: `because no resource-based policy allows the ecr:${action} action`,
      explicit: 'with an explicit deny in an identity-based policy',
      'service-control-policy': 'with an explicit deny in a service control policy',
    }
    const reason = reasons[denial.reason ?? 'identity']
    return `User: ${arn} is not authorized to perform: ecr:${action} on resource: ${resource} ${reason}`
  }
}

function matches(denial: Denial, access: Access): boolean {
  if (denial.action !== access.action && denial.action !== '*') return false
  if (denial.arn !== undefined && denial.arn !== access.arn) return false
  return denial.repository === undefined || denial.repository === access.repository
}
