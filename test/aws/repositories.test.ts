/** The lists of the control plane, against the local ECR. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import {
  createRepository,
  describeImage,
  describeRepository,
  listImages,
  listRepositories,
  listTags,
  ownRegistryId,
} from '../../src/aws/repositories.ts'
import { scanFindings } from '../../src/aws/scan-findings.ts'
import { type LocalEcr, startLocalEcr } from '../../src/local-ecr/local-ecr.ts'
import { type AwsWorld, openAwsWorld } from './aws-world.ts'

let ecr: LocalEcr
let world: AwsWorld
let root: string
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'aws-lists-'))
  ecr = await startLocalEcr({ root })
  world = openAwsWorld(ecr.environment)
})
afterAll(async () => {
  await world.close()
  await ecr.close()
  await rm(root, { recursive: true, force: true })
})
beforeEach(() => {
  ecr.policy.clear()
  ecr.settings.pageSize = 1000
})

const plane = () => world.connection.controlPlane

async function all<Item>(items: AsyncIterable<Item>): Promise<readonly Item[]> {
  const list: Item[] = []
  for await (const item of items) list.push(item)
  return list
}

/** Pushes a config and a manifest through `/v2/`, as any client would. */
async function push(repository: string, tag: string): Promise<void> {
  const token = await world.connection.tokens.get()
  const authorization = `Basic ${token.basic.reveal()}`
  const base = `http://${ecr.registryHost}/v2/${repository}`
  const config = Buffer.from(JSON.stringify({ architecture: 'amd64', os: 'linux', tag }))
  const { createHash } = await import('node:crypto')
  const digest = `sha256:${createHash('sha256').update(config).digest('hex')}`
  const started = await fetch(`${base}/blobs/uploads/`, {
    method: 'POST',
    headers: { authorization },
  })
  const location = new URL(started.headers.get('location') ?? '', base)
  location.searchParams.set('digest', digest)
  const put = { method: 'PUT', headers: { authorization }, body: config }
  expect((await fetch(location, put)).status).toBe(201)
  const mediaType = 'application/vnd.oci.image.manifest.v1+json'
  const manifest = {
    schemaVersion: 2,
    mediaType,
    config: {
      mediaType: 'application/vnd.oci.image.config.v1+json',
      digest,
      size: config.length,
    },
    layers: [],
  }
  const answer = await fetch(`${base}/manifests/${tag}`, {
    method: 'PUT',
    headers: { authorization, 'content-type': mediaType },
    body: JSON.stringify(manifest),
  })
  expect(answer.status).toBe(201)
}

describe('repositories', () => {
  test('are listed to the end, page by page', async () => {
    const names = Array.from({ length: 23 }, (_, at) => `paged/r${String(at).padStart(2, '0')}`)
    for (const name of names) await createRepository(plane(), name)
    ecr.settings.pageSize = 5
    const found = await all(listRepositories(plane()))
    expect(found.map(({ name }) => name)).toEqual(expect.arrayContaining(names))
    expect(found[0]?.uri).toBe(`${ecr.registryHost}/${found[0]?.name}`)
    expect(found[0]?.createdAt).toBeInstanceOf(Date)
  })

  test('are not asked for beyond what is read', async () => {
    ecr.settings.pageSize = 5
    const before = ecr.requests.length
    for await (const _ of listRepositories(plane())) break
    expect(ecr.requests.length - before).toBe(1)
  })

  test('of another account are asked by its id; its owner must allow it', async () => {
    const options = { registryId: '999999999999' }
    await expect(all(listRepositories(plane(), options))).rejects.toMatchObject({
      code: 'ACCESS_DENIED',
      message: expect.stringContaining('999999999999'),
      hint: expect.stringContaining('owner of the registry'),
    })
  })

  test('are created once; a second time is no failure', async () => {
    expect(await createRepository(plane(), 'made/one')).toMatchObject({ isNew: true })
    expect(await createRepository(plane(), 'made/one')).toMatchObject({
      isNew: false,
      repository: { name: 'made/one', registryId: ecr.accountId },
    })
  })

  test('that are missing are named with their registry', async () => {
    await expect(
      describeRepository(plane(), 'not/there', { registryId: ecr.accountId }),
    ).rejects.toMatchObject({
      code: 'NAME_UNKNOWN',
      message: `no repository not/there in the registry of account ${ecr.accountId} in us-east-1`,
    })
  })

  test('a name that ECR does not allow is a usage error with its own words', async () => {
    await expect(createRepository(plane(), 'Upper/Case')).rejects.toMatchObject({ code: 'USAGE' })
  })

  test('the registry names its account', async () => {
    expect(await ownRegistryId(plane())).toBe(ecr.accountId)
  })
})

describe('images and tags', () => {
  beforeAll(async () => {
    await createRepository(plane(), 'with/images')
    for (const tag of ['one', 'two', 'three']) await push('with/images', tag)
  })

  test('tags come with their digests, to the end', async () => {
    ecr.settings.pageSize = 2
    const tags = await all(listTags(plane(), 'with/images'))
    expect(tags.map(({ tag }) => tag).sort()).toEqual(['one', 'three', 'two'])
    expect(tags.every(({ digest }) => /^sha256:[0-9a-f]{64}$/.test(digest ?? ''))).toBe(true)
  })

  test('an untagged image has an empty list of tags', async () => {
    await push('with/images', 'moved')
    const before = await describeImage(plane(), 'with/images', { tag: 'moved' })
    expect(before.tags).toEqual(['moved'])
    const images = await all(listImages(plane(), 'with/images'))
    expect(images.length).toBeGreaterThanOrEqual(4)
    for (const { tags } of images) expect(Array.isArray(tags)).toBe(true)
  })

  test('one image is described by tag and by digest alike', async () => {
    const byTag = await describeImage(plane(), 'with/images', { tag: 'two' })
    const byDigest = await describeImage(plane(), 'with/images', { digest: byTag.digest })
    expect(byDigest).toEqual(byTag)
    expect(byTag.pushedAt).toBeInstanceOf(Date)
  })

  test('a missing tag is named with its repository', async () => {
    await expect(describeImage(plane(), 'with/images', { tag: 'tow' })).rejects.toMatchObject({
      code: 'MANIFEST_UNKNOWN',
      message: expect.stringContaining('with/images:tow'),
    })
  })
})

test('an image that was never scanned has no findings, and that is no failure', async () => {
  const { startFakeControlPlane, errorAnswer } = await import('./fake-control-plane.ts')
  const fake = await startFakeControlPlane()
  const other = openAwsWorld({ ...ecr.environment, AWS_ENDPOINT_URL_ECR: fake.url })
  try {
    fake.answer = errorAnswer('ScanNotFoundException', 'Image scan does not exist')
    const ask = () => scanFindings(other.connection.controlPlane, 'a', { tag: 'b' })
    expect(await ask()).toMatchObject({ status: 'NOT_SCANNED', counts: {} })
    fake.answer = {
      body: JSON.stringify({
        imageScanStatus: { status: 'COMPLETE' },
        imageScanFindings: { findingSeverityCounts: { HIGH: 2 }, imageScanCompletedAt: 1.7e9 },
      }),
    }
    expect(await ask()).toMatchObject({ status: 'COMPLETE', counts: { HIGH: 2 } })
    expect((await ask()).completedAt).toBeInstanceOf(Date)
    expect(fake.requests[0]?.target).toMatch(/DescribeImageScanFindings$/)
    expect(JSON.parse(fake.requests[0]?.body ?? '')).toMatchObject({ imageId: { imageTag: 'b' } })
  } finally {
    await other.close()
    await fake.close()
  }
})

test('a list whose pages go in a circle ends with an error', async () => {
  const { startFakeControlPlane } = await import('./fake-control-plane.ts')
  const fake = await startFakeControlPlane()
  const other = openAwsWorld({ ...ecr.environment, AWS_ENDPOINT_URL_ECR: fake.url })
  try {
    fake.answer = { body: '{"repositories":[],"nextToken":"again"}' }
    const list = listRepositories(other.connection.controlPlane, { registryId: '111111111111' })
    await expect(list.next()).rejects.toMatchObject({ code: 'PROTOCOL_ERROR' })
    expect(JSON.parse(fake.requests[0]?.body ?? '')).toMatchObject({ registryId: '111111111111' })
  } finally {
    await other.close()
    await fake.close()
  }
})
