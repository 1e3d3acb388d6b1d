/** Another account's registry, named by its id: asked there, and never mistaken for one's own. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { AwsClient } from '../../src/client/aws-client.ts'
import { startForwardProxy } from '../fakes/forward-proxy.ts'
import { type AwsClientWorld, openAwsClientWorld } from './aws-world.ts'

const registryId = '999999999999'
const image = 'science/hello:1.0'
const elsewhere = '111111111111.dkr.ecr.us-east-1.amazonaws.com/science/hello'

let world: AwsClientWorld
beforeAll(async () => {
  world = await openAwsClientWorld()
})
afterAll(() => world.close())

test('tags that its owner forbids are not those of the own registry', async () => {
  const error = await world.failure(async (client) => client.tags('science/hello', { registryId }))
  expect(error).toMatchObject({
    code: 'ACCESS_DENIED',
    message: expect.stringContaining(`${registryId}:repository/science/hello`),
    hint: `the owner of the registry must allow ecr:ListImages in the repository's policy: {"Effect":"Allow","Principal":{"AWS":"${world.ecr.user.arn}"},"Action":"ecr:ListImages"}; if your own registry was meant, its account is 123456789012`,
  })
})

test('neither are those of the registry that was set by hand, when the account is another', async () => {
  const error = await world.failure(async (client) => client.tags('science/hello'), {
    SREGISTRY_AWS_ID: registryId,
  })
  expect(error).toMatchObject({
    code: 'ACCESS_DENIED',
    message: expect.stringContaining(`${registryId}:repository/science/hello`),
  })
})

test('two settings that name two registries are told before anybody is asked', async () => {
  const error = await world.failure(async (client) => client.tags('science/hello'), {
    SREGISTRY_AWS_ID: registryId,
    SREGISTRY_AWS_BASE: '123456789012.dkr.ecr.us-east-1.amazonaws.com',
  })
  expect(error).toMatchObject({
    code: 'SETTING_INVALID',
    message: `the account is ${registryId} (environment SREGISTRY_AWS_ID), but the registry is that of 123456789012 (environment SREGISTRY_AWS_BASE)`,
    hint: expect.stringContaining('unset one of the two'),
  })
})

test('an image is looked for at its own host', async () => {
  const proxy = await startForwardProxy()
  const host = `${registryId}.dkr.ecr.us-east-1.amazonaws.com`
  proxy.refusals.set(host, 403)
  const env = { SREGISTRY_AWS_BASE: '', SREGISTRY_AWS_NOHTTPS: '', HTTPS_PROXY: proxy.url }
  const error = await world.failure((client) => client.describe(image, { registryId }), env)
  proxy.close()
  expect(error.message).toContain(host)
  expect(proxy.asked).toContain(`CONNECT ${host}`)
})

test('a host in the reference is asked there, over TLS, whatever stands in SREGISTRY_AWS_BASE', async () => {
  const proxy = await startForwardProxy()
  const host = `${registryId}.dkr.ecr.us-east-1.amazonaws.com`
  proxy.refusals.set(host, 403)
  const env = { HTTPS_PROXY: proxy.url, HTTP_PROXY: proxy.url }
  const asked = world.ecr.requests.length
  const error = await world.failure((client) => client.pull(`aws://${host}/${image}`), env)
  proxy.close()
  expect(error.message).toContain(host)
  // SREGISTRY_AWS_NOHTTPS is on, and is the configured registry's alone: the token is not sent in clear
  expect(proxy.asked).toEqual([`CONNECT ${host}`])
  expect(world.ecr.requests.slice(asked).map(({ listener }) => listener)).toEqual(['api'])
})

test('names without a host are those of the registry in SREGISTRY_AWS_BASE, whatever the account', async () => {
  const env = { SREGISTRY_AWS_ID: registryId }
  const { uri } = await world.use((client) => client.pull(image, { force: true }), env)
  expect(uri).toBe(`aws://${world.ecr.registryHost}/${image}`)
})

test('where the host of the registry was set by hand, nothing tells that of another account', async () => {
  const error = await world.failure((client) => client.describe(image, { registryId }))
  expect(error).toMatchObject({ code: 'USAGE', hint: expect.stringContaining('aws://HOST/NAME') })
})

test.each<[string, (client: AwsClient) => Promise<unknown>]>([
  ['tags', async (client) => client.tags(elsewhere, { registryId })],
  ['describe', (client) => client.describe(`${elsewhere}:1`, { registryId })],
  ['describe of a repository', (client) => client.describe(elsewhere, { registryId })],
  ['repositories', async (client) => client.repositories(elsewhere, { registryId })],
  ['search', async (client) => client.search(elsewhere, { registryId })],
  ['createRepository', (client) => client.createRepository(elsewhere, { registryId })],
])('%s: an account beside the host of another is refused', async (_, run) => {
  const asked = world.ecr.requests.length
  expect(await world.failure(run)).toMatchObject({
    code: 'USAGE',
    message: `the reference names the registry of 111111111111, and the account is ${registryId}`,
  })
  expect(world.ecr.requests.length).toBe(asked)
})

test('an account that is none is refused', async () => {
  const error = await world.failure(async (client) =>
    client.tags('science/hello', { registryId: '9999-9999-9999' }),
  )
  expect(error).toMatchObject({ code: 'USAGE', hint: expect.stringContaining('twelve digits') })
})

test("the list of another account is its registry policy's to allow", async () => {
  const error = await world.failure(async (client) => client.repositories('', { registryId }))
  expect(error.code).toBe('ACCESS_DENIED')
  expect(error.hint).toMatch(
    /^pulling needs no browsing; the owner of the registry must allow ecr:DescribeRepositories in the registry's policy: \{.*"Resource":"arn:aws:ecr:us-east-1:999999999999:repository\/\*"\}; if your own registry was meant, its account is 123456789012$/,
  )
})

test('the own account may be named', async () => {
  const own = { registryId: world.ecr.accountId }
  expect(await world.use(async (client) => client.tags('science/hello', own))).toEqual([
    '1.0',
    '1.1',
  ])
  expect(await world.use((client) => client.describe(image, own))).toMatchObject({ tags: ['1.0'] })
})
