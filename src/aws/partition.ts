/**
 * The AWS partitions: which regions belong to which, and how their hosts and ARNs are written.
 * @see botocore `partitions.json` and the ECR endpoint rule set (REGISTRY § 1)
 */

export type Partition = {
  /** First part of an ARN after `arn:`. */
  readonly id: string
  readonly regions: RegExp
  /** `api.ecr.REGION.` and `ACCOUNT.dkr.ecr.REGION.` are followed by this. */
  readonly dnsSuffix: string
  /** Dual-stack control plane: `ecr.REGION.` and this. Absent where there is none. */
  readonly dualStackSuffix?: string
  /** Dual-stack data plane: `ACCOUNT.dkr-ecr.REGION.` and this. */
  readonly dualStackRegistrySuffix?: string
}

const commercial: Partition = {
  id: 'aws',
  regions: /^(us|eu|ap|sa|ca|me|af|il|mx)-\w+-\d+$/,
  dnsSuffix: 'amazonaws.com',
  dualStackSuffix: 'api.aws',
  dualStackRegistrySuffix: 'on.aws',
}

/** More specific patterns first: `us-gov-…` also has the form of a commercial region. */
const partitions: readonly Partition[] = [
  {
    id: 'aws-us-gov',
    regions: /^us-gov-\w+-\d+$/,
    dnsSuffix: 'amazonaws.com',
    dualStackSuffix: 'api.aws',
    dualStackRegistrySuffix: 'on.aws',
  },
  {
    id: 'aws-cn',
    regions: /^cn-\w+-\d+$/,
    dnsSuffix: 'amazonaws.com.cn',
    dualStackSuffix: 'api.amazonwebservices.com.cn',
    dualStackRegistrySuffix: 'on.amazonwebservices.com.cn',
  },
  {
    id: 'aws-iso',
    regions: /^us-iso-\w+-\d+$/,
    dnsSuffix: 'c2s.ic.gov',
    dualStackSuffix: 'api.aws.ic.gov',
  },
  {
    id: 'aws-iso-b',
    regions: /^us-isob-\w+-\d+$/,
    dnsSuffix: 'sc2s.sgov.gov',
    dualStackSuffix: 'api.aws.scloud',
  },
  {
    id: 'aws-iso-e',
    regions: /^eu-isoe-\w+-\d+$/,
    dnsSuffix: 'cloud.adc-e.uk',
    dualStackSuffix: 'api.cloud-aws.adc-e.uk',
  },
  {
    id: 'aws-iso-f',
    regions: /^us-isof-\w+-\d+$/,
    dnsSuffix: 'csp.hci.ic.gov',
    dualStackSuffix: 'api.aws.hci.ic.gov',
  },
  {
    id: 'aws-eusc',
    regions: /^eusc-(de)-\w+-\d+$/,
    dnsSuffix: 'amazonaws.eu',
    dualStackSuffix: 'api.amazonwebservices.eu',
  },
  commercial,
]

/** The partition of a region; an unknown region is taken for a new commercial one, as the SDK does. */
export function partitionOf(region: string): Partition {
  return partitions.find(({ regions }) => regions.test(region)) ?? commercial
}

export type EndpointVariant = {
  /** FIPS 140 validated endpoints. Default: false. */
  readonly fips?: boolean
  /** IPv4 and IPv6. Default: false. */
  readonly dualStack?: boolean
}

/** Host of the control plane (`GetAuthorizationToken` and its siblings). */
export function controlPlaneHost(region: string, variant: EndpointVariant = {}): string {
  const { dnsSuffix, dualStackSuffix } = partitionOf(region)
  if (variant.dualStack && dualStackSuffix) {
    return `${variant.fips ? 'ecr-fips' : 'ecr'}.${region}.${dualStackSuffix}`
  }
  return `api.${variant.fips ? 'ecr-fips' : 'ecr'}.${region}.${dnsSuffix}`
}

/** Host of a private registry's data plane (`/v2/`). */
export function registryHostOf(
  account: string,
  region: string,
  variant: EndpointVariant = {},
): string {
  const { dnsSuffix, dualStackRegistrySuffix } = partitionOf(region)
  const dualStack = variant.dualStack && dualStackRegistrySuffix !== undefined
  const name = `${dualStack ? 'dkr-ecr' : 'dkr.ecr'}${variant.fips ? '-fips' : ''}`
  return `${account}.${name}.${region}.${dualStack ? dualStackRegistrySuffix : dnsSuffix}`
}

/** ARN of a repository, or of all that match when `repository` ends in `*`. */
export function repositoryArn(region: string, account: string, repository: string): string {
  return `arn:${partitionOf(region).id}:ecr:${region}:${account}:repository/${repository}`
}
