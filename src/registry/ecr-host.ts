/**
 * Host names of private ECR registries, as amazon-ecr-credential-helper (`api/client.go`) takes them.
 * Anchored at both ends: credentials of AWS go to these names and to no others.
 */

export type EcrHost = {
  /** The twelve digits of the account that owns the registry. */
  readonly account: string
  readonly region: string
  readonly partition: EcrPartition
  readonly fips: boolean
  readonly dualStack: boolean
}

type EcrPartition =
  | 'aws'
  | 'aws-cn'
  | 'aws-us-gov'
  | 'aws-eusc'
  | 'aws-iso'
  | 'aws-iso-b'
  | 'aws-iso-e'
  | 'aws-iso-f'

const partitionOfSuffix: Readonly<Record<string, EcrPartition>> = {
  'amazonaws.com': 'aws',
  'on.aws': 'aws',
  'amazonaws.com.cn': 'aws-cn',
  'on.amazonwebservices.com.cn': 'aws-cn',
  'amazonaws.eu': 'aws-eusc',
  'on.amazonwebservices.eu': 'aws-eusc',
  'c2s.ic.gov': 'aws-iso',
  'sc2s.sgov.gov': 'aws-iso-b',
  'cloud.adc-e.uk': 'aws-iso-e',
  'csp.hci.ic.gov': 'aws-iso-f',
}

const ecrHostPattern =
  /^(?<account>\d{12})\.dkr(?<join>[.-])ecr(?<fips>-fips)?\.(?<region>[a-z0-9-]{1,40})\.(?<suffix>[a-z0-9.-]+)$/

/** As parseEcrHost, of `host[:port]`. */
export function parseEcrAddress(address: string): EcrHost | undefined {
  return parseEcrHost(address.replace(/:\d+$/, ''))
}

/**
 * What an ECR host name says about its registry; undefined for any other host.
 * @param host A host without port, as `new URL().hostname` gives it; upper case is taken too.
 */
export function parseEcrHost(host: string): EcrHost | undefined {
  const groups = ecrHostPattern.exec(host.toLowerCase())?.groups
  const suffix = groups?.['suffix'] ?? ''
  if (groups === undefined || !Object.hasOwn(partitionOfSuffix, suffix)) return undefined
  const { account, region } = groups
  const partition = partitionOfSuffix[suffix]
  if (account === undefined || region === undefined || partition === undefined) return undefined
  return {
    account,
    region,
    partition: region.startsWith('us-gov-') && partition === 'aws' ? 'aws-us-gov' : partition,
    fips: groups['fips'] !== undefined,
    dualStack: groups['join'] === '-',
  }
}

/** ECR Public's names: one registry for all, no account in the host. */
export function isEcrPublicHost(host: string): boolean {
  return host === 'public.ecr.aws' || host === 'ecr-public.aws.com'
}
