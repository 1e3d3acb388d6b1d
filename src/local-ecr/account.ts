/** Who the emulated registry belongs to, and the names that follow from it. */

export type Account = {
  /** Twelve digits. */
  readonly accountId: string
  readonly region: string
  /** `host:port` that clients reach; part of `repositoryUri`. */
  readonly registryHost: string
  /** `http://host:port` (`https` with TLS) of the data plane: the `proxyEndpoint`. */
  readonly registryUrl: string
  /** Origin of the blob storage, of another host name than the registry's. */
  readonly blobOrigin: string
}

/** Partition of a region, as it stands in its ARNs (botocore partitions.json). */
export function partitionOf(region: string): string {
  const partitions: readonly (readonly [string, string])[] = [
    ['cn-', 'aws-cn'],
    ['us-gov-', 'aws-us-gov'],
    ['us-isob-', 'aws-iso-b'],
    ['us-iso-', 'aws-iso'],
    ['eusc-', 'aws-eusc'],
  ]
  return partitions.find(([prefix]) => region.startsWith(prefix))?.[1] ?? 'aws'
}

export function repositoryArn(account: Account, name: string): string {
  return `arn:${partitionOf(account.region)}:ecr:${account.region}:${account.accountId}:repository/${name}`
}
