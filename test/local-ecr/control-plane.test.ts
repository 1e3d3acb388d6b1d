import {
  BatchCheckLayerAvailabilityCommand,
  BatchDeleteImageCommand,
  BatchGetImageCommand,
  CreateRepositoryCommand,
  DeleteRepositoryCommand,
  DescribeImageScanFindingsCommand,
  DescribeImagesCommand,
  DescribeRegistryCommand,
  DescribeRepositoriesCommand,
  GetAuthorizationTokenCommand,
  GetDownloadUrlForLayerCommand,
  GetRepositoryPolicyCommand,
  ListImagesCommand,
  paginateDescribeRepositories,
  paginateListImages,
  RepositoryNotFoundException,
  SetRepositoryPolicyCommand,
} from '@aws-sdk/client-ecr'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { digestOf } from '../../src/local-ecr/blob-store.ts'
import {
  errorOf,
  nameOfError,
  smallLayer,
  startTemporaryEcr,
  type TemporaryEcr,
} from './temporary-ecr.ts'

let local: TemporaryEcr
beforeAll(async () => {
  local = await startTemporaryEcr({ seed: true })
})
afterAll(() => local.close())

const busybox = { repositoryName: 'library/busybox' }

test('a token comes with its end and the address of the registry', async () => {
  const before = Date.now()
  const output = await local.client.send(new GetAuthorizationTokenCommand({}))
  const [data] = output.authorizationData ?? []
  expect(data?.proxyEndpoint).toBe(`http://${local.ecr.registryHost}`)
  const lifeMs = Number(data?.expiresAt) - before
  expect(lifeMs).toBeGreaterThanOrEqual(12 * 3600_000 - 1000)
  expect(lifeMs).toBeLessThan(12 * 3600_000 + 60_000)
  const password = Buffer.from(data?.authorizationToken ?? '', 'base64')
    .toString()
    .slice(4)
  const { expiration, version } = JSON.parse(Buffer.from(password, 'base64').toString())
  expect(version).toBe('2')
  expect(expiration * 1000).toBeCloseTo(Number(data?.expiresAt), -1)
  expect(output.$metadata.requestId).toMatch(/^[0-9a-f-]{36}$/)
})

test('repositories are described with their addresses and times', async () => {
  const { repositories } = await local.client.send(
    new DescribeRepositoriesCommand({ repositoryNames: ['library/busybox'] }),
  )
  expect(repositories).toMatchObject([
    {
      repositoryArn: 'arn:aws:ecr:us-east-1:123456789012:repository/library/busybox',
      registryId: '123456789012',
      repositoryUri: `${local.ecr.registryHost}/library/busybox`,
      createdAt: new Date('2024-01-01T00:00:00Z'),
      imageTagMutability: 'MUTABLE',
    },
  ])
})

test('a repository that does not exist is named in ECR’s sentence', async () => {
  const error = await errorOf(
    local.client.send(new ListImagesCommand({ repositoryName: 'library/nothing' })),
  )
  expect(error).toBeInstanceOf(RepositoryNotFoundException)
  expect(error.message).toBe(
    "The repository with name 'library/nothing' does not exist in the registry with id '123456789012'",
  )
})

test.each([
  [
    'ListImages',
    new ListImagesCommand({ ...busybox, registryId: '999999999999' }),
    busybox.repositoryName,
  ],
  ['DescribeRepositories', new DescribeRepositoriesCommand({ registryId: '999999999999' }), '*'],
] as const)('another account lets nobody in by itself: %s', async (operation, command, name) => {
  const error = await errorOf(local.client.send(command as ListImagesCommand))
  expect(error.name).toBe('AccessDeniedException')
  expect(error.message).toBe(
    `User: ${local.ecr.user.arn} is not authorized to perform: ecr:${operation} on resource: arn:aws:ecr:us-east-1:999999999999:repository/${name} because no resource-based policy allows the ecr:${operation} action`,
  )
})

test('lists come in pages, and all pages together are the list', async () => {
  const pages = paginateDescribeRepositories({ client: local.client, pageSize: 2 }, {})
  const names: (string | undefined)[] = []
  const sizes: number[] = []
  for await (const { repositories = [] } of pages) {
    sizes.push(repositories.length)
    names.push(...repositories.map((one) => one.repositoryName))
  }
  expect(sizes).toEqual([2, 2, 1])
  expect(names).toEqual([
    'library/busybox',
    'library/debian-tools',
    'library/multi',
    'science/hello',
    'science/nightly',
  ])
})

test('without maxResults a page holds a hundred', async () => {
  const input = { repositoryName: 'science/nightly' }
  const { imageIds, nextToken } = await local.client.send(new ListImagesCommand(input))
  expect(imageIds).toHaveLength(100)
  const rest = await local.client.send(new ListImagesCommand({ ...input, nextToken }))
  expect(rest.imageIds).toHaveLength(21)
  expect(rest.nextToken).toBeUndefined()
})

test('the emulator’s page size bounds what a client asks for', async () => {
  local.ecr.settings.pageSize = 50
  const pages: number[] = []
  const input = { repositoryName: 'science/nightly' }
  for await (const { imageIds } of paginateListImages(
    { client: local.client, pageSize: 1000 },
    input,
  )) {
    pages.push(imageIds?.length ?? 0)
  }
  local.ecr.settings.pageSize = 1000
  expect(pages).toEqual([50, 50, 21])
})

test.each([
  ['made up', () => 'bm90IGEgdG9rZW4'],
  ['from another list', (token: string | undefined) => token],
])('a nextToken that is %s is refused', async (_, forge) => {
  const { nextToken } = await local.client.send(new DescribeRepositoriesCommand({ maxResults: 1 }))
  const input = { repositoryName: 'science/nightly', nextToken: forge(nextToken) }
  expect(await nameOfError(local.client.send(new ListImagesCommand(input)))).toBe(
    'InvalidParameterException',
  )
})

test.each([[0], [1001]])('maxResults %i is out of bounds', async (maxResults) => {
  const command = new DescribeRepositoriesCommand({ maxResults })
  expect(await nameOfError(local.client.send(command))).toBe('InvalidParameterException')
})

test('an image is the bytes that its digest names', async () => {
  const imageIds = [{ imageTag: 'latest' }, { imageTag: 'none' }]
  const output = await local.client.send(new BatchGetImageCommand({ ...busybox, imageIds }))
  const [image] = output.images ?? []
  expect(digestOf(Buffer.from(image?.imageManifest ?? ''))).toBe(image?.imageId?.imageDigest)
  expect(output.failures).toEqual([
    {
      imageId: { imageTag: 'none' },
      failureCode: 'ImageNotFound',
      failureReason: 'Requested image not found',
    },
  ])
})

test('images are described with size, time and tags', async () => {
  const { imageDetails } = await local.client.send(new DescribeImagesCommand(busybox))
  expect(imageDetails).toHaveLength(1)
  expect(imageDetails?.[0]).toMatchObject({
    imageTags: ['latest'],
    imageManifestMediaType: 'application/vnd.docker.distribution.manifest.v2+json',
  })
  expect(imageDetails?.[0]?.imageSizeInBytes).toBeGreaterThan(1000)
  expect(imageDetails?.[0]?.imagePushedAt).toBeInstanceOf(Date)
})

test('an untagged image has no imageTags at all, and the filter tells it apart', async () => {
  const input = { repositoryName: 'library/multi' }
  const { imageDetails = [] } = await local.client.send(
    new DescribeImagesCommand({ ...input, filter: { tagStatus: 'UNTAGGED' } }),
  )
  expect(imageDetails).toHaveLength(2)
  for (const detail of imageDetails) expect(detail).not.toHaveProperty('imageTags')
  const { imageIds } = await local.client.send(
    new ListImagesCommand({ ...input, filter: { tagStatus: 'TAGGED' } }),
  )
  expect(imageIds).toMatchObject([{ imageTag: 'latest' }])
})

test('a tag that is not there is named in ECR’s sentence', async () => {
  const imageIds = [{ imageTag: 'none' }]
  const error = await errorOf(
    local.client.send(new DescribeImagesCommand({ ...busybox, imageIds })),
  )
  expect(error.name).toBe('ImageNotFoundException')
  expect(error.message).toBe(
    "The image with imageId {imageDigest:'null', imageTag:'none'} does not exist within the repository with name 'library/busybox' in the registry with id '123456789012'",
  )
})

test('a repository is created, found again, refused twice, and deleted', async () => {
  const repositoryName = 'team/new-one'
  const created = await local.client.send(new CreateRepositoryCommand({ repositoryName }))
  expect(created.repository?.createdAt).toBeInstanceOf(Date)
  const again = local.client.send(new CreateRepositoryCommand({ repositoryName }))
  expect(await nameOfError(again)).toBe('RepositoryAlreadyExistsException')
  await local.client.send(new DeleteRepositoryCommand({ repositoryName }))
  const gone = local.client.send(new ListImagesCommand({ repositoryName }))
  expect(await nameOfError(gone)).toBe('RepositoryNotFoundException')
})

test.each([['Upper/case'], ['a'], ['/slash'], ['a//b'], ['a b']])(
  '"%s" cannot be the name of a repository',
  async (repositoryName) => {
    const command = new CreateRepositoryCommand({ repositoryName })
    expect(await nameOfError(local.client.send(command))).toBe('InvalidParameterException')
  },
)

test('a repository with images is only deleted by force', async () => {
  const other = await startTemporaryEcr({ seed: true })
  try {
    const refused = other.client.send(new DeleteRepositoryCommand(busybox))
    expect(await nameOfError(refused)).toBe('RepositoryNotEmptyException')
    await other.client.send(new DeleteRepositoryCommand({ ...busybox, force: true }))
    const gone = other.client.send(new ListImagesCommand(busybox))
    expect(await nameOfError(gone)).toBe('RepositoryNotFoundException')
  } finally {
    await other.close()
  }
})

test('deleting tags leaves the image until the last one is gone', async () => {
  const other = await startTemporaryEcr({ seed: true })
  const input = { repositoryName: 'science/nightly' }
  try {
    const one = [{ imageTag: 'build-1' }]
    await other.client.send(new BatchDeleteImageCommand({ ...input, imageIds: one }))
    const kept = await other.client.send(new DescribeImagesCommand(input))
    expect(kept.imageDetails?.[0]?.imageTags).toHaveLength(120)
    const imageDigest = kept.imageDetails?.[0]?.imageDigest
    const all = await other.client.send(
      new BatchDeleteImageCommand({ ...input, imageIds: [{ imageDigest }] }),
    )
    expect(all.imageIds).toHaveLength(120)
    const none = await other.client.send(new DescribeImagesCommand(input))
    expect(none.imageDetails).toEqual([])
  } finally {
    await other.close()
  }
})

test('a child of an index cannot be deleted before the index', async () => {
  const input = { repositoryName: 'library/multi' }
  const { imageDetails } = await local.client.send(
    new DescribeImagesCommand({ ...input, filter: { tagStatus: 'UNTAGGED' } }),
  )
  const imageIds = [{ imageDigest: imageDetails?.[0]?.imageDigest }]
  const output = await local.client.send(new BatchDeleteImageCommand({ ...input, imageIds }))
  expect(output.failures?.[0]?.failureCode).toBe('ImageReferencedByManifestList')
})

test('layers are known by size, and one by URL without any credential', async () => {
  const { digest, size } = await smallLayer(local)
  const missing = `sha256:${'0'.repeat(64)}`
  const { layers } = await local.client.send(
    new BatchCheckLayerAvailabilityCommand({ ...busybox, layerDigests: [digest, missing] }),
  )
  expect(layers).toEqual([
    { layerDigest: digest, layerAvailability: 'AVAILABLE', layerSize: size },
    { layerDigest: missing, layerAvailability: 'UNAVAILABLE' },
  ])
  const { downloadUrl } = await local.client.send(
    new GetDownloadUrlForLayerCommand({ ...busybox, layerDigest: digest }),
  )
  const bytes = Buffer.from(await (await fetch(downloadUrl ?? '')).arrayBuffer())
  expect(digestOf(bytes)).toBe(digest)
  const absent = local.client.send(
    new GetDownloadUrlForLayerCommand({ ...busybox, layerDigest: missing }),
  )
  expect(await nameOfError(absent)).toBe('LayersNotFoundException')
})

test('a repository policy is kept, and its absence is an error of its own', async () => {
  const none = local.client.send(new GetRepositoryPolicyCommand(busybox))
  expect(await nameOfError(none)).toBe('RepositoryPolicyNotFoundException')
  const policyText = '{"Version":"2012-10-17","Statement":[]}'
  await local.client.send(new SetRepositoryPolicyCommand({ ...busybox, policyText }))
  const output = await local.client.send(new GetRepositoryPolicyCommand(busybox))
  expect(output.policyText).toBe(policyText)
})

test('the registry knows its own account', async () => {
  const output = await local.client.send(new DescribeRegistryCommand({}))
  expect(output.registryId).toBe('123456789012')
})

test('an image that nobody scanned has no findings', async () => {
  const command = new DescribeImageScanFindingsCommand({
    ...busybox,
    imageId: { imageTag: 'latest' },
  })
  expect(await nameOfError(local.client.send(command))).toBe('ScanNotFoundException')
})

test('what was created is there after a restart', async () => {
  const first = await startTemporaryEcr()
  await first.client.send(new CreateRepositoryCommand({ repositoryName: 'team/kept' }))
  await first.ecr.close()
  const second = await startTemporaryEcr({ root: first.root })
  try {
    const { repositories } = await second.client.send(new DescribeRepositoriesCommand({}))
    expect(repositories?.map((one) => one.repositoryName)).toEqual(['team/kept'])
  } finally {
    await second.close()
    await first.close()
  }
})
