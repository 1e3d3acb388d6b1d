/** The token and the registry client together, against the local ECR. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type LocalEcr, startLocalEcr } from '../../src/local-ecr/local-ecr.ts'
import { parseReference } from '../../src/registry/reference.ts'
import { createRegistryClient, type RegistryClient } from '../../src/registry/registry-client.ts'
import { type AwsWorld, openAwsWorld } from './aws-world.ts'

let ecr: LocalEcr
let world: AwsWorld
let root: string
let registry: RegistryClient
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'aws-registry-'))
  ecr = await startLocalEcr({ root, seed: true })
})
beforeEach(() => {
  world = openAwsWorld(ecr.environment)
  registry = createRegistryClient({
    host: ecr.registryHost,
    transport: world.transport,
    credentials: world.connection.credentials,
    sendsBasicFirst: true,
  })
  return async () => {
    registry.close()
    await world.close()
  }
})
afterAll(async () => {
  await ecr.close()
  await rm(root, { recursive: true, force: true })
})

const tokenRequests = () =>
  ecr.requests.filter(({ operation }) => operation === 'GetAuthorizationToken').length

test('an image is resolved and its layers are read with one token', async () => {
  const before = tokenRequests()
  const image = await registry.resolve(parseReference('aws://library/busybox:latest'))
  let sizeBytes = 0
  for (const layer of image.layers) {
    for await (const part of registry.openBlob('library/busybox', layer)) sizeBytes += part.length
  }
  expect(sizeBytes).toBe(image.layers.reduce((sum, layer) => sum + layer.sizeBytes, 0))
  expect(tokenRequests() - before).toBe(1)
})

test('a token that expires in mid-pull is renewed once, and the pull goes on', async () => {
  const image = await registry.resolve(parseReference('aws://library/busybox:latest'))
  const before = tokenRequests()
  ecr.expireTokens()
  const read = image.layers.map(async (layer) => {
    let sizeBytes = 0
    for await (const part of registry.openBlob('library/busybox', layer)) sizeBytes += part.length
    return sizeBytes
  })
  expect(await Promise.all(read)).toEqual(image.layers.map(({ sizeBytes }) => sizeBytes))
  expect(tokenRequests() - before).toBe(1)
})

test('a refusal by policy is told, not answered with new tokens', async () => {
  await registry.ping()
  const before = tokenRequests()
  const allow = ecr.policy.deny({ action: 'BatchGetImage' })
  const reference = parseReference('aws://library/busybox:latest')
  await expect(registry.resolve(reference)).rejects.toMatchObject({ code: 'ACCESS_DENIED' })
  allow()
  expect(tokenRequests() - before).toBe(0)
})
