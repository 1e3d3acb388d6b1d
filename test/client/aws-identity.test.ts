import { stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type AwsClientWorld, openAwsClientWorld } from './aws-world.ts'

let world: AwsClientWorld
beforeAll(async () => {
  world = await openAwsClientWorld()
})
beforeEach(() => world.reset())
afterAll(() => world.close())

test('whoami tells account, provider, masked key and region', async () => {
  const { accessKeyId } = world.ecr.user
  expect(await world.use((client) => client.whoami())).toEqual({
    account: '123456789012',
    provider: 'environment SREGISTRY_AWS_KEY',
    keyId: `AKIA…${accessKeyId.slice(-4)}`,
    isTemporary: false,
    expiresAt: undefined,
    region: 'us-east-1',
    registry: world.ecr.registryHost,
  })
})

test('the raw token opens /v2/, as in curl -u AWS:TOKEN', async () => {
  const password = await world.use((client) => client.token({ raw: true }))
  const authorization = `Basic ${Buffer.from(`AWS:${password}`).toString('base64')}`
  const url = `http://${world.ecr.registryHost}/v2/library/busybox/tags/list`
  const answer = await fetch(url, { headers: { authorization } })
  expect([answer.status, await answer.json()]).toMatchObject([200, { tags: ['latest'] }])
})

test('a token that is not asked for raw is masked, and tells its end', async () => {
  const facts = await world.use((client) => client.token())
  expect(facts).toMatchObject({ username: 'AWS', password: '****', expiresAt: expect.any(Date) })
  expect(Object.keys(facts).toSorted()).toEqual([
    'expiresAt',
    'obtainedAt',
    'password',
    'registry',
    'username',
  ])
})

test('SREGISTRY_CREDENTIALS_CACHE keeps the token between runs, 0600; without it nothing is kept', async () => {
  const cache = join(world.home, 'tokens.json')
  const ask = (env = {}) => world.use((client) => client.token({ raw: true }), env)
  const first = await ask({ SREGISTRY_CREDENTIALS_CACHE: cache })
  expect((await stat(cache)).mode & 0o777).toBe(0o600)
  expect(await ask({ SREGISTRY_CREDENTIALS_CACHE: cache })).toBe(first)
  expect(await ask()).not.toBe(first)
})

test('ping says which host answered', async () => {
  expect(await world.use((client) => client.ping())).toEqual({
    host: world.ecr.registryHost,
    ok: true,
  })
})

test('policies are JSON for this account, region and repository', async () => {
  const text = await world.use((client) => client.policy('pull', { repository: 'library/*' }))
  expect(JSON.parse(text).Statement.at(-1)).toEqual({
    Sid: 'Pull',
    Effect: 'Allow',
    Action: ['ecr:BatchGetImage', 'ecr:GetDownloadUrlForLayer'],
    Resource: 'arn:aws:ecr:us-east-1:123456789012:repository/library/*',
  })
})

test('a policy needs no credentials when a setting tells the account', async () => {
  const before = world.ecr.requests.length
  await world.use((client) => client.policy('push'))
  expect(world.ecr.requests.length).toBe(before)
})

test('a host in the repository tells account and region', async () => {
  const repository = '210987654321.dkr.ecr.eu-west-1.amazonaws.com/lab/*'
  const text = await world.use((client) => client.policy('pull', { repository }))
  expect(text).toContain('arn:aws:ecr:eu-west-1:210987654321:repository/lab/*')
})

test('who may not even have a token can print what to ask for', async () => {
  world.ecr.policy.deny({ action: 'GetAuthorizationToken' })
  const text = await world.use((client) => client.policy('pull'), { SREGISTRY_AWS_ID: '' })
  expect(text).toContain('arn:aws:ecr:us-east-1:123456789012:repository/*')
})

test('a repository policy lets other accounts pull', async () => {
  const text = await world.use((client) =>
    client.policy('cross-account', { readers: ['210987654321'] }),
  )
  expect(JSON.parse(text).Statement[0].Principal).toEqual({
    AWS: ['arn:aws:iam::210987654321:root'],
  })
})

test('an unknown policy is wrong usage', async () => {
  const error = await world.failure((client) => client.policy('everything'))
  expect(error).toMatchObject({ code: 'USAGE', hint: expect.stringContaining('browse') })
})

test('a region that is mended in the AWS configuration holds for the same client', async () => {
  const config = join(world.home, 'mended-config')
  const env = { SREGISTRY_AWS_ZONE: '', AWS_CONFIG_FILE: config }
  await writeFile(config, '[default]\nregion = eu-west-3\n')
  await world.use(async (client) => {
    await expect(client.whoami()).rejects.toMatchObject({ code: 'SETTING_INVALID' })
    await writeFile(config, '[default]\nregion = us-east-1\n')
    expect(await client.whoami()).toMatchObject({ region: 'us-east-1' })
    expect(client.place).toBe('us-east-1')
  }, env)
})

test.each(['SREGISTRY_AWS_ZOEN', 'regoin'])(
  'use() refuses %s, a setting that there is not',
  async (name) => {
    await world.use(async (client) => {
      expect(() => client.use({ [name]: 'x' })).toThrow(`the aws client has no setting "${name}"`)
    })
  },
)

test('use() takes every variable of the table', async () => {
  await world.use(async (client) => {
    expect(client.use({ SREGISTRY_AWS_ZONE: 'eu-west-1', MESSAGELEVEL: '1' }).place).toBe(
      'eu-west-1',
    )
  })
})
