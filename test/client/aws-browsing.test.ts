import { createServer, request, type Server } from 'node:http'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { portOf } from '../../src/local-ecr/listener.ts'
import { type AwsClientWorld, openAwsClientWorld } from './aws-world.ts'

let world: AwsClientWorld
beforeAll(async () => {
  world = await openAwsClientWorld()
})
beforeEach(() => world.reset())
afterAll(() => world.close())

const operations = () => world.ecr.requests.map(({ operation }) => operation)
const seeded = [
  'library/busybox',
  'library/debian-tools',
  'library/multi',
  'science/hello',
  'science/nightly',
]

describe('repositories', () => {
  test.each([
    ['all without a pattern', undefined, seeded],
    ['by a part of the name', 'bus', ['library/busybox']],
    ['by a glob over the whole name', 'library/*', seeded.slice(0, 3)],
    ['by single characters', 'science/h???o', ['science/hello']],
    ['none that only resembles a regular expression', 'library.busybox', []],
  ])('%s', async (_, pattern, expected) => {
    const found = await world.use(async (client) => client.repositories(pattern))
    expect(found.map(({ name }) => name)).toEqual(expected)
  })

  test('go to the end however small the pages are', async () => {
    world.ecr.settings.pageSize = 2
    const found = await world.use(async (client) => client.repositories())
    expect(found.map(({ name }) => name)).toEqual(seeded)
  })

  test('leaving the loop stops asking', async () => {
    world.ecr.settings.pageSize = 1
    const before = operations().length
    await world.use(async (client) => {
      for await (const { name } of client.repositories()) if (name === seeded[1]) break
    })
    expect(operations().slice(before)).toEqual(['DescribeRepositories', 'DescribeRepositories'])
  })

  test('of another account: the one that is named, or the one in the host', async () => {
    const host = '210987654321.dkr.ecr.us-east-1.amazonaws.com'
    const byId = await world.failure(async (client) =>
      client.describe('library/busybox', { registryId: '210987654321' }),
    )
    const byHost = await world.failure(async (client) => client.describe(`${host}/library/busybox`))
    expect(byId.message).toContain('210987654321')
    expect(byHost.message).toBe(byId.message)
    const own = await world.use(async (client) =>
      client.repositories('busybox', { registryId: '123456789012' }),
    )
    expect(own).toHaveLength(1)
  })

  test('a refusal says that one cannot browse, and which policy mends it', async () => {
    world.ecr.policy.deny({ action: 'DescribeRepositories' })
    const error = await world.failure(async (client) => client.repositories())
    expect(error).toMatchObject({ code: 'ACCESS_DENIED' })
    expect(error.message).toMatch(/^cannot browse repositories: User: arn:aws:iam::/)
    expect(error.hint).toMatch(/sregistry policy browse.*"Action":"ecr:DescribeRepositories"/)
  })
})

describe('tags', () => {
  test('go to the end however small the pages are', async () => {
    world.ecr.settings.pageSize = 25
    const before = operations().length
    const tags = await world.use(async (client) => client.tags('science/nightly'))
    expect(tags).toHaveLength(121)
    expect(new Set(tags).size).toBe(121)
    expect(operations().slice(before)).toEqual(Array(5).fill('ListImages'))
  })

  test('come from the data plane where the control plane refuses', async () => {
    const denying = await listenDenying('ListImages')
    const env = { AWS_ENDPOINT_URL_ECR: `http://127.0.0.1:${portOf(denying)}` }
    const tags = await world.use(async (client) => client.tags('science/nightly'), env)
    denying.close()
    expect(tags).toHaveLength(121)
  })

  test('refused on both planes: one cannot browse', async () => {
    world.ecr.policy.deny({ action: 'ListImages', repository: 'science/hello' })
    const before = operations().length
    const error = await world.failure(async (client) => client.tags('science/hello'))
    expect(error.message).toMatch(/^cannot browse the tags of science\/hello: /)
    expect(operations().slice(before)).toEqual(expect.arrayContaining(['ListImages', 'ListTags']))
  })

  test('another failure of the control plane is told, not passed over', async () => {
    const fault = { kind: 'html', status: 200 } as const
    world.ecr.faults.add({ listener: 'api', operation: 'ListImages', fault })
    const error = await world.failure(async (client) => client.tags('science/nightly'))
    expect(error.code).toBe('PROTOCOL_ERROR')
  })

  test('of a repository that is not there: names that are near', async () => {
    const error = await world.failure(async (client) => client.tags('library/busybx'))
    expect(error).toMatchObject({
      code: 'NAME_UNKNOWN',
      hint: 'did you mean library/busybox?',
    })
  })
})

describe('search', () => {
  test('of many repositories at once warns of no leak at the signal of the caller', async () => {
    const warnings: Error[] = []
    const onWarning = (warning: Error) => warnings.push(warning)
    process.on('warning', onWarning)
    const { signal } = new AbortController()
    const repositories = Array.from({ length: 12 }, (_, number) => `many/of-${number}`)
    await world.use(async (client) => {
      for (const name of repositories) await client.createRepository(name)
      expect(await client.search('busybox', { signal })).toHaveLength(1)
    })
    await new Promise((resolve) => setImmediate(resolve)) // warnings come a tick later
    process.off('warning', onWarning)
    expect(warnings).toEqual([])
  })

  const found = async (query?: string) =>
    (await world.use(async (client) => client.search(query))).map(
      ({ repository, tag }) => `${repository}:${tag}`,
    )

  test('looks at every tag of every repository, to the end', async () => {
    world.ecr.settings.pageSize = 3
    const all = await found()
    expect(all.filter((name) => name.startsWith('science/nightly:'))).toHaveLength(121)
    expect(all).toContain('library/busybox:latest')
  })

  test.each([
    [
      'a part of repository or tag',
      'build-12',
      ['science/nightly:build-120', 'science/nightly:build-12'],
    ],
    ['a glob of repositories', '*busybox', ['library/busybox:latest']],
    [
      'a glob of tags',
      '*:build-11?',
      Array.from({ length: 10 }, (_, i) => `science/nightly:build-11${9 - i}`),
    ],
    ['a repository and a glob of its tags', 'science/nightly:night*', ['science/nightly:nightly']],
    ['nothing that is not there', 'no-such-image', []],
  ])('%s', async (_, query, expected) => {
    expect((await found(query)).toSorted()).toEqual(expected.toSorted())
  })

  test('gives references that can be pulled, with their digests', async () => {
    const [image] = await world.use(async (client) => client.search('busybox:latest'))
    const digest = await world.use((client) => client.digest(image?.uri ?? ''))
    expect(image).toMatchObject({
      uri: `aws://${world.ecr.registryHost}/library/busybox:latest`,
      digest,
    })
  })

  test('a repository that may not be listed is left out, and told', async () => {
    world.ecr.policy.deny({ action: 'ListImages', repository: 'science/nightly' })
    const all = await found()
    expect(all).toContain('library/busybox:latest')
    expect(all.some((name) => name.startsWith('science/nightly'))).toBe(false)
    expect(world.warnings).toEqual([expect.stringMatching(/^not searched: .*science\/nightly/)])
  })
})

describe('describe', () => {
  test('a repository with its images', async () => {
    const described = await world.use((client) => client.describe('science/nightly'))
    expect(described).toMatchObject({
      name: 'science/nightly',
      registryId: '123456789012',
      imageCount: 1,
      tagCount: 121,
      images: [{ digest: expect.stringMatching(/^sha256:/), pushedAt: expect.any(Date) }],
    })
  })

  test('an image: size, dates, digest, platform, tags, scan', async () => {
    const reference = 'library/busybox:latest'
    const [described, digest, layers] = await world.use((client) =>
      Promise.all([client.describe(reference), client.digest(reference), client.layers(reference)]),
    )
    expect(described).toMatchObject({
      uri: `aws://${world.ecr.registryHost}/${reference}`,
      digest,
      platform: 'linux/amd64',
      layers: layers.length,
      tags: ['latest'],
      pushedAt: expect.any(Date),
      scan: { status: 'NOT_SCANNED' },
    })
    expect(described['sizeBytes']).toBeGreaterThan(0)
  })

  test('an index: its platforms', async () => {
    const described = await world.use((client) => client.describe('library/multi:latest'))
    expect(described['platforms']).toEqual(['linux/amd64', 'linux/arm64'])
  })

  test('an image by its digest', async () => {
    const described = await world.use(async (client) =>
      client.describe(`library/busybox@${await client.digest('library/busybox')}`),
    )
    expect(described['tags']).toEqual(['latest'])
  })

  test('an image that may be pulled but not browsed: what its manifest says', async () => {
    world.ecr.policy.deny({ action: 'DescribeImages' })
    const described = await world.use((client) => client.describe('library/busybox:latest'))
    expect(described).toMatchObject({ platform: 'linux/amd64' })
    expect(described).not.toHaveProperty('pushedAt')
    expect(world.warnings).toEqual([expect.stringContaining('cannot browse')])
  })

  test('a scan that may not be read is no failure', async () => {
    world.ecr.policy.deny({ action: 'DescribeImageScanFindings' })
    const described = await world.use((client) => client.describe('library/busybox:latest'))
    expect(described['scan']).toEqual({ status: 'NOT_ALLOWED' })
  })
})

describe('createRepository', () => {
  test('makes it, and finds it the second time', async () => {
    const make = () => world.use((client) => client.createRepository('lab/made'))
    expect(await make()).toMatchObject({ name: 'lab/made', isNew: true })
    expect(await make()).toMatchObject({ name: 'lab/made', isNew: false })
  })
})

/** The control plane of the local ECR, with one operation refused. */
async function listenDenying(operation: string): Promise<Server> {
  const server = createServer((incoming, outgoing) => {
    if (String(incoming.headers['x-amz-target']).endsWith(`.${operation}`)) {
      incoming.resume()
      outgoing.writeHead(400, { 'content-type': 'application/x-amz-json-1.1' })
      const { accountId, user } = world.ecr
      const resource = `arn:aws:ecr:us-east-1:${accountId}:repository/*`
      const message = `User: ${user.arn} is not authorized to perform: ecr:${operation} on resource: ${resource} because no identity-based policy allows the ecr:${operation} action`
      outgoing.end(JSON.stringify({ __type: 'AccessDeniedException', message }))
      return
    }
    const { method, headers } = incoming
    const forwarded = request(world.ecr.apiUrl, { method, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 500, answer.headers)
      answer.pipe(outgoing)
    })
    incoming.pipe(forwarded)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return server
}
