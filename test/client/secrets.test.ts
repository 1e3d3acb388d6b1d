/** What a curious program can reach from a client and from its errors: no secret, however deep it looks. */
import { inspect } from 'node:util'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { AwsClient } from '../../src/client/aws-client.ts'
import { isSregistryError } from '../../src/errors/sregistry-error.ts'
import type { FaultRule } from '../../src/local-ecr/fault.ts'
import { plantedSecrets, secretsIn } from '../fakes/planted-secrets.ts'
import { withoutRetryDelays } from '../fakes/quick-retries.ts'
import { type AwsClientWorld, openAwsClientWorld } from './aws-world.ts'

const image = 'science/hello:1.0'
let world: AwsClientWorld
let restoreDelays: () => void
beforeAll(async () => {
  restoreDelays = withoutRetryDelays()
  world = await openAwsClientWorld()
  const { ownSecretKey, sessionToken } = plantedSecrets
  world.ecr.addPrincipal({
    accessKeyId: 'ASIAPLANTEDPLANTED01',
    secretAccessKey: ownSecretKey,
    sessionToken,
    arn: 'arn:aws:sts::123456789012:assumed-role/planted/me',
  })
})
afterAll(async () => {
  restoreDelays()
  await world.close()
})
afterEach(() => world.reset())

const env = {
  SREGISTRY_AWS_KEY: '',
  SREGISTRY_AWS_SECRET: '',
  AWS_ACCESS_KEY_ID: 'ASIAPLANTEDPLANTED01',
  AWS_SECRET_ACCESS_KEY: plantedSecrets.ownSecretKey,
  AWS_SESSION_TOKEN: plantedSecrets.sessionToken,
  SREGISTRY_NVIDIA_TOKEN: plantedSecrets.nvidiaToken,
  HTTP_PROXY: `http://me:${encodeURIComponent(plantedSecrets.proxyPassword)}@127.0.0.1:1`,
}

/** As deep as it goes, hidden properties too, and past what a value says of itself. */
function depths(value: unknown): string {
  const all = { depth: Number.POSITIVE_INFINITY, maxStringLength: null, maxArrayLength: null }
  const shown = [true, false].map((customInspect) =>
    inspect(value, { ...all, showHidden: true, customInspect }),
  )
  return [...shown, JSON.stringify(value)].join('\n')
}

test('a client that has worked holds none that can be reached', async () => {
  await world.use(async (client) => {
    await client.token()
    await client.pull(image, { force: true })
    expect(secretsIn(depths(client))).toEqual([])
    expect(secretsIn(depths(client.use({ region: 'us-west-2' })))).toEqual([])
    expect(secretsIn(depths(await client.images()))).toEqual([])
  }, env)
})

const methods: Readonly<Record<string, (client: AwsClient) => Promise<unknown>>> = {
  pull: (client) => client.pull(image, { force: true, cache: false, save: true }),
  manifest: (client) => client.manifest(image),
  config: (client) => client.config(image),
  tags: async (client) => client.tags('science/hello'),
  describe: (client) => client.describe(image),
  repositories: async (client) => client.repositories(),
  whoami: (client) => client.whoami(),
  token: (client) => client.token(),
  ping: (client) => client.ping(),
  createRepository: (client) => client.createRepository('team/planted'),
}

const rules: readonly FaultRule[] = [
  { listener: 'api', fault: { kind: 'html' } },
  { listener: 'api', fault: { kind: 'server-error', status: 503 } },
  { listener: 'api', fault: { kind: 'reset', afterBytes: 0 } },
  { listener: 'api', fault: { kind: 'truncate', afterBytes: 20 } },
  // an answer with a token in it, which the SDK cannot parse
  { listener: 'api', fault: { kind: 'wrong-byte', at: 0 } },
  { listener: 'registry', fault: { kind: 'html' } },
  { listener: 'registry', fault: { kind: 'throttle', retryAfterSeconds: 0 } },
  { listener: 'registry', fault: { kind: 'reset', afterBytes: 0 } },
  { listener: 'registry', fault: { kind: 'redirect', hops: 9 } },
  { listener: 'blobs', fault: { kind: 'redirect', hops: 9 } },
  { listener: 'blobs', fault: { kind: 'server-error', status: 503 } },
  { listener: 'blobs', fault: { kind: 'html', status: 403 } },
  { listener: 'blobs', fault: { kind: 'reset', afterBytes: 10 } },
  { listener: 'blobs', fault: { kind: 'wrong-byte', at: 5 } },
]

describe('an error holds none that can be reached', () => {
  test.each(rules)('$listener: $fault.kind', async (rule) => {
    let failures = 0
    for (const [name, method] of Object.entries(methods)) {
      world.ecr.faults.clear()
      world.ecr.faults.add(rule)
      const outcome = await world.use(method, env).then(
        () => undefined,
        (error: unknown) => error,
      )
      if (outcome === undefined) continue
      failures += 1
      expect(isSregistryError(outcome), `${name}: ${outcome}`).toBe(true)
      expect(secretsIn(depths(outcome)), name).toEqual([])
    }
    expect(failures).toBeGreaterThan(0)
  })
})
