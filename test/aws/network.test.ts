/** One HTTP layer for ECR, STS and SSO: a real proxy and a private CA hold for each of them. */
import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { AuthorizationTokenSource } from '../../src/aws/authorization-token.ts'
import { EcrControlPlane } from '../../src/aws/ecr-client.ts'
import { Secret } from '../../src/aws/secret.ts'
import { type LocalEcr, startLocalEcr } from '../../src/local-ecr/local-ecr.ts'
import { createTransport } from '../../src/registry/transport.ts'
import { makePrivateAuthority, type PrivateAuthority } from '../fakes/certificate.ts'
import { proxyPassword, startForwardProxy } from '../fakes/forward-proxy.ts'
import { hasTool } from '../fakes/tools.ts'
import { openAwsWorld } from './aws-world.ts'
import { type FakeAws, startFakeAws } from './fake-aws.ts'
import { withEnvironment } from './process-environment.ts'

const role = {
  accessKeyId: 'ASIATESTROLE12345678',
  secretAccessKey: 'role-secret-planted',
  sessionToken: 'role-session-token-planted',
  expiration: new Date(Date.now() + 3600_000).toISOString(),
}
let ecr: LocalEcr
let aws: FakeAws
let home: string

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'aws-network-'))
  ecr = await startLocalEcr({ root: join(home, 'ecr'), extraHosts: ['ecr.test'] })
  ecr.addPrincipal({ ...role, arn: 'arn:aws:sts::123456789012:assumed-role/puller/test' })
  aws = await startFakeAws(role)
  await writeConfiguration()
})
afterAll(async () => {
  await aws.close()
  await ecr.close()
  await rm(home, { recursive: true, force: true })
})

async function writeConfiguration(): Promise<void> {
  const cache = join(home, '.aws', 'sso', 'cache')
  await mkdir(cache, { recursive: true })
  await writeFile(
    join(home, '.aws', 'config'),
    `[profile role]
role_arn = arn:aws:iam::123456789012:role/puller
source_profile = base
[profile base]
aws_access_key_id = ${ecr.user.accessKeyId}
aws_secret_access_key = ${ecr.user.secretAccessKey}
[profile sso]
sso_session = corp
sso_account_id = 123456789012
sso_role_name = puller
[sso-session corp]
sso_region = us-east-1
sso_start_url = https://example.awsapps.com/start
`,
  )
  await writeFile(
    join(cache, `${createHash('sha1').update('corp').digest('hex')}.json`),
    JSON.stringify({ accessToken: 'sso-planted', expiresAt: role.expiration }),
  )
}

describe('a proxy', () => {
  const environment = (proxyUrl: string, profile: string) => {
    const portOf = (url: string) => new URL(url).port
    return {
      HOME: home,
      AWS_PROFILE: profile,
      AWS_REGION: ecr.region,
      AWS_ENDPOINT_URL_ECR: `http://ecr.test:${portOf(ecr.apiUrl)}`,
      AWS_ENDPOINT_URL_STS: `http://sts.test:${portOf(aws.url)}`,
      AWS_ENDPOINT_URL_SSO: `http://sso.test:${portOf(aws.url)}`,
      AWS_EC2_METADATA_DISABLED: 'true',
      HTTP_PROXY: proxyUrl,
    }
  }

  test.each([
    ['a role', 'role', ['sts.test', 'ecr.test']],
    ['single sign-on', 'sso', ['sso.test', 'ecr.test']],
  ])('carries all requests of %s', async (_, profile, hosts) => {
    const proxy = await startForwardProxy()
    const env = environment(proxy.url, profile)
    try {
      await withEnvironment(env, async () => {
        const world = openAwsWorld(env, {}, home)
        expect((await world.connection.tokens.get()).registryHost).toBe(ecr.registryHost)
        await world.close()
      })
      expect(proxy.asked).toEqual(hosts.map((host) => `http ${host}`))
    } finally {
      proxy.close()
    }
  })

  test.each([
    [407, 'http', /name and a password/, /user:password/],
    [407, 'https', /name and a password/, /user:password/],
    [401, 'https', /name and a password/, /user:password/],
    [403, 'https', /refused to connect \(403\)/, /NO_PROXY/],
  ])('that answers %i for %s is named, without its password', async (...row) => {
    const [status, scheme, message, hint] = row
    const proxy = await startForwardProxy()
    proxy.refusals.set('ecr.test', status)
    const env = {
      ...environment(proxy.url, 'base'),
      HTTPS_PROXY: proxy.url,
      AWS_ENDPOINT_URL_ECR: `${scheme}://ecr.test`,
    }
    try {
      await withEnvironment(env, async () => {
        const world = openAwsWorld(env, {}, home)
        const error = await world.connection.tokens.get().catch((thrown: unknown) => thrown)
        await world.close()
        expect(error).toMatchObject({ code: 'NETWORK' })
        expect((error as Error).message).toMatch(message)
        expect((error as Error).message).toContain(proxy.host)
        expect((error as { hint: string }).hint).toMatch(hint)
        expect(String(error)).not.toContain(proxyPassword)
      })
    } finally {
      proxy.close()
    }
  })
})

describe.skipIf(!hasTool('openssl'))('a private certificate authority', () => {
  let secure: LocalEcr
  let authority: PrivateAuthority
  beforeAll(async () => {
    authority = makePrivateAuthority(home)
    secure = await startLocalEcr({ root: join(home, 'secure'), tls: authority })
  })
  afterAll(() => secure.close())

  async function tokenWith(env: Readonly<Record<string, string>>) {
    const world = openAwsWorld({ ...secure.environment, ...env })
    try {
      return await world.connection.tokens.get()
    } finally {
      await world.close()
    }
  }

  test('that is not known is refused, saying what to set', async () => {
    await expect(tokenWith({})).rejects.toMatchObject({
      code: 'TLS',
      hint: expect.stringContaining('AWS_CA_BUNDLE'),
    })
  })

  test('is taken from AWS_CA_BUNDLE, which the SDK itself does not read', async () => {
    const token = await tokenWith({ AWS_CA_BUNDLE: authority.bundle })
    expect(token.registryUrl).toBe(`https://${secure.registryHost}`)
  })
})

describe('time limits', () => {
  // undici's timers are about a second coarse
  const limits = { connectMs: 1000, headersMs: 1000, idleMs: 1000 }

  test.each([
    ['that does not answer', { kind: 'stall', afterBytes: 0 }, 'TIMEOUT'],
    ['that stops in the middle', { kind: 'stall', afterBytes: 40 }, 'TIMEOUT'],
  ] as const)('end a call of a control plane %s', async (_, fault, code) => {
    const undo = ecr.faults.add({ listener: 'api', fault })
    const transport = createTransport({ env: {}, limits })
    const { accessKeyId, secretAccessKey } = ecr.user
    const controlPlane = new EcrControlPlane({
      region: ecr.region,
      endpoint: ecr.apiUrl,
      transport,
      maxAttempts: 1,
      keyPair: { accessKeyId, secretAccessKey: new Secret(secretAccessKey) },
    })
    const work = new AuthorizationTokenSource(controlPlane).get()
    await expect(work).rejects.toMatchObject({ code })
    undo()
    controlPlane.close()
    await transport.close()
  })

  test('end the wait for the services that credentials come from', async () => {
    const silent = createServer(() => undefined)
    await new Promise<void>((done) => silent.listen(0, '127.0.0.1', done))
    const { port } = silent.address() as AddressInfo
    const env = {
      HOME: home,
      AWS_PROFILE: 'role',
      AWS_REGION: ecr.region,
      AWS_ENDPOINT_URL_STS: `http://127.0.0.1:${port}`,
      AWS_ENDPOINT_URL_ECR: ecr.apiUrl,
      AWS_MAX_ATTEMPTS: '1',
      AWS_EC2_METADATA_DISABLED: 'true',
    }
    await withEnvironment(env, async () => {
      const world = openAwsWorld(env, {}, home, {}, limits)
      await expect(world.connection.tokens.get()).rejects.toMatchObject({ code: 'TIMEOUT' })
      await world.close()
    })
    silent.closeAllConnections()
    silent.close()
  })
})
