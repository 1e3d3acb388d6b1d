import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { whoAmI } from '../../src/aws/who-am-i.ts'
import { type LocalEcr, startLocalEcr } from '../../src/local-ecr/local-ecr.ts'
import { openAwsWorld } from './aws-world.ts'
import { errorAnswer, startFakeControlPlane } from './fake-control-plane.ts'

let ecr: LocalEcr
let root: string
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'aws-who-'))
  ecr = await startLocalEcr({ root })
})
afterAll(async () => {
  await ecr.close()
  await rm(root, { recursive: true, force: true })
})

test('the registry names the account when nothing cheaper does', async () => {
  const world = openAwsWorld(ecr.environment)
  expect(await whoAmI(world.connection, world.settings)).toMatchObject({
    account: ecr.accountId,
    accountSource: 'DescribeRegistry',
    region: ecr.region,
    registryHost: ecr.registryHost,
    credentials: { source: 'environment SREGISTRY_AWS_KEY', isTemporary: false },
  })
  await world.close()
})

test('a refusal names it too', async () => {
  const allow = ecr.policy.deny({ action: 'DescribeRegistry' })
  const world = openAwsWorld(ecr.environment)
  expect(await whoAmI(world.connection, world.settings)).toMatchObject({
    account: ecr.accountId,
    accountSource: 'refusal',
  })
  await world.close()
  allow()
})

test('the host of the token names it, without another request', async () => {
  const fake = await startFakeControlPlane()
  const world = openAwsWorld({ ...ecr.environment, AWS_ENDPOINT_URL_ECR: fake.url })
  const token = {
    authorizationToken: Buffer.from('AWS:password').toString('base64'),
    expiresAt: Date.now() / 1000 + 3600,
    proxyEndpoint: 'https://210987654321.dkr.ecr.eu-central-1.amazonaws.com',
  }
  fake.answer = { body: JSON.stringify({ authorizationData: [token] }) }
  expect(await whoAmI(world.connection, world.settings)).toMatchObject({
    account: '210987654321',
    accountSource: 'token',
  })
  expect(fake.requests).toHaveLength(1)
  await world.close()
  await fake.close()
})

test('another failure of asking is told', async () => {
  const fake = await startFakeControlPlane()
  const world = openAwsWorld({ ...ecr.environment, AWS_ENDPOINT_URL_ECR: fake.url })
  fake.answer = errorAnswer('KmsException', 'x')
  await expect(whoAmI(world.connection, world.settings)).rejects.toMatchObject({
    code: 'ACCESS_DENIED',
  })
  await world.close()
  await fake.close()
})
