/** Who must allow what, so that a refusal of AWS is lifted: a statement to paste, or whom to ask. */
import { repositoryArn } from './partition.ts'
import { isPullAction } from './policy.ts'
import type { SdkErrorContext } from './sdk-error-context.ts'

/** The mend for a refusal, from AWS's own sentence about it: control plane and data plane say the same. */
export function denialHint(
  message: string,
  action: string,
  resource: string | undefined,
  context: Pick<SdkErrorContext, 'account' | 'repository' | 'region'>,
): string {
  if (/explicit deny/.test(message)) {
    return "an explicit deny forbids it (a service control policy, a permissions boundary, or the repository's policy): ask the account's administrator"
  }
  const target =
    action === 'ecr:GetAuthorizationToken'
      ? '*'
      : (resource?.replace(/[.,;]$/, '') ?? arnOf(context))
  const isOwners = /no resource-based policy/.test(message) && action.startsWith('ecr:')
  if (isOwners) return ownersMend(message, action, target)
  const statement = JSON.stringify({ Effect: 'Allow', Action: action, Resource: target })
  return `add to the identity's policy: ${statement}${furtherMend(action, context)}`
}

function furtherMend(action: string, { repository }: Pick<SdkErrorContext, 'repository'>): string {
  if (action.startsWith('sts:')) return "; the role's trust policy must let the caller in, too"
  return isPullAction(action) && repository !== undefined
    ? `; all that a pull needs: sregistry policy pull --repository ${repository}`
    : ''
}

/**
 * What a repository's policy says has a principal, and the repository for its resource. What is asked of
 * all repositories stands in the registry's policy (with REGISTRY_POLICY_SCOPE V2), which names them.
 */
function ownersMend(message: string, action: string, resource: string): string {
  const must = `the owner of the registry must allow ${action} in`
  const [caller = 'ARN', account] =
    /arn:aws[a-z-]*:(?:iam|sts)::(\d{12}):[\w+=,.@/-]+/.exec(message) ?? []
  // a wrong account in the host is what it mostly is
  const isOther = account !== undefined && !resource.includes(`:${account}:`)
  const own = isOther ? `; if your own registry was meant, its account is ${account}` : ''
  if (isPullAction(action)) {
    return `${must} the repository's policy: sregistry policy pull --cross-account prints it${own}`
  }
  const statement = { Effect: 'Allow', Principal: { AWS: caller }, Action: action }
  return resource.endsWith(':repository/*')
    ? `${must} the registry's policy: ${JSON.stringify({ ...statement, Resource: resource })}${own}`
    : `${must} the repository's policy: ${JSON.stringify(statement)}${own}`
}

function arnOf({ account, repository, region }: Partial<SdkErrorContext>): string {
  if (account === undefined || region === undefined) return '*'
  return repositoryArn(region, account, repository ?? '*')
}
