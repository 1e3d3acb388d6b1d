/** Another account's registry, named by its id: asked there, and never mistaken for one's own. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startForwardProxy } from '../fakes/forward-proxy.ts'
import { type AwsClientWorld, openAwsClientWorld } from './aws-world.ts'

const registryId = '999999999999'
const image = 'science/hello:1.0'

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
    hint: `the owner of the registry must allow ecr:ListImages in the repository's policy: {"Effect":"Allow","Principal":{"AWS":"${world.ecr.user.arn}"},"Action":"ecr:ListImages"}`,
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

test('where the host of the registry was set by hand, nothing tells that of another account', async () => {
  const error = await world.failure((client) => client.describe(image, { registryId }))
  expect(error).toMatchObject({ code: 'USAGE', hint: expect.stringContaining('aws://HOST/NAME') })
})

test('the own account may be named', async () => {
  const own = { registryId: world.ecr.accountId }
  expect(await world.use(async (client) => client.tags('science/hello', own))).toEqual([
    '1.0',
    '1.1',
  ])
  expect(await world.use((client) => client.describe(image, own))).toMatchObject({ tags: ['1.0'] })
})
