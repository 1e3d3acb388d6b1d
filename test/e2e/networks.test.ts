/** The program where a site has a proxy, a certificate authority of its own, or a firewall. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type LocalEcr, startLocalEcr } from '../../src/local-ecr/local-ecr.ts'
import { makePrivateAuthority, type PrivateAuthority } from '../fakes/certificate.ts'
import { type ForwardProxy, proxyPassword, startForwardProxy } from '../fakes/forward-proxy.ts'
import { type Ended, runProgram } from '../fakes/program.ts'
import { hasTool } from '../fakes/tools.ts'

/** Names that only the proxy can lead to. */
const names = { api: 'api.test', registry: 'registry.test', blobs: 'blobs.test' }
const image = 'science/hello:1.0'

let work: string
let authority: PrivateAuthority
let proxy: ForwardProxy
let secure: LocalEcr
let plain: LocalEcr

const canRun = hasTool('openssl')

beforeAll(async () => {
  if (!canRun) return
  work = await mkdtemp(join(tmpdir(), 'networks-'))
  authority = makePrivateAuthority(work, Object.values(names))
  proxy = await startForwardProxy()
  const shared = { seed: true, extraHosts: Object.values(names), blobHost: names.blobs }
  plain = await startLocalEcr({ ...shared, root: join(work, 'plain') })
  secure = await startLocalEcr({ ...shared, root: join(work, 'secure'), tls: authority })
})
afterAll(async () => {
  proxy?.close()
  await plain?.close()
  await secure?.close()
  if (work !== undefined) await rm(work, { recursive: true, force: true })
})
beforeEach(() => {
  proxy?.asked.splice(0)
  proxy?.refusals.clear()
})

const portOf = (place: string) => place.slice(place.lastIndexOf(':') + 1)

/** The settings of an emulator, by names that need the proxy. */
function named(ecr: LocalEcr): Record<string, string> {
  const scheme = new URL(ecr.apiUrl).protocol
  return {
    ...ecr.environment,
    AWS_ENDPOINT_URL_ECR: `${scheme}//${names.api}:${portOf(ecr.apiUrl)}`,
    SREGISTRY_AWS_BASE: `${names.registry}:${portOf(ecr.registryHost)}`,
  }
}

async function sregistry(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<Ended> {
  const home = await mkdtemp(join(work, 'home-'))
  const ended = await runProgram(args, { env: { HOME: home, ...env }, directory: home })
  expect(`${ended.stdout}${ended.stderr}`).not.toContain(proxyPassword)
  return ended
}

const pull = (env: Readonly<Record<string, string>>) => sregistry(['--quiet', 'pull', image], env)

describe.skipIf(!canRun)('a proxy', () => {
  test('carries control plane, manifests and layers: https through tunnels, http as it is', async () => {
    const [overTls, overHttp] = await Promise.all([
      pull({ ...named(secure), HTTPS_PROXY: proxy.url, AWS_CA_BUNDLE: authority.bundle }),
      pull({ ...named(plain), HTTP_PROXY: proxy.url }),
    ])
    expect([overTls, overHttp]).toMatchObject([{ exitCode: 0 }, { exitCode: 0 }])
    const all = Object.values(names)
    const expected = [...all.map((name) => `CONNECT ${name}`), ...all.map((name) => `http ${name}`)]
    expect([...new Set(proxy.asked)].sort()).toEqual(expected.sort())
  })

  test('is left aside for the names of NO_PROXY and for this machine', async () => {
    const env = { ...named(secure), HTTPS_PROXY: proxy.url, AWS_CA_BUNDLE: authority.bundle }
    const { blobUrl: _, ...local } = secure
    const [exempt, loopback] = await Promise.all([
      sregistry(['tags', 'science/hello'], { ...env, NO_PROXY: 'example.org,.test' }),
      sregistry(['tags', 'science/hello'], { ...env, ...local.environment }),
    ])
    expect(proxy.asked).toEqual([])
    expect(exempt.stderr).toMatch(/error NETWORK: api\.test.*no host of this name/s)
    expect(loopback.stdout).toBe('1.0\n1.1\n')
  })

  const login = /the proxy 127\.0\.0\.1:\d+ wants a name and a password for/
  test.each([
    ['the control plane over https', () => named(secure), `${login.source} api\\.test`],
    ['the control plane over http', () => named(plain), `${login.source} api\\.test`],
    [
      'the data plane over https',
      () => ({ ...named(secure), AWS_ENDPOINT_URL_ECR: secure.apiUrl }),
      `${login.source} registry\\.test`,
    ],
    [
      'the data plane over http',
      () => ({ ...named(plain), AWS_ENDPOINT_URL_ECR: plain.apiUrl }),
      `${login.source} registry\\.test`,
    ],
  ])('that wants a login is named: %s', async (_, env, message) => {
    const url = proxy.url.replace('me:', 'nobody:')
    const proxies = { HTTPS_PROXY: url, HTTP_PROXY: url, AWS_CA_BUNDLE: authority.bundle }
    const { exitCode, stderr } = await sregistry(['manifest', image], { ...env(), ...proxies })
    expect(stderr).toMatch(new RegExp(`^error NETWORK: .*${message}`, 'm'))
    expect(stderr).toContain('HTTPS_PROXY (or HTTP_PROXY): user:password@host:port')
    expect(exitCode).toBe(1)
  })

  test('that does not let layers through: the hosts to allow are named', async () => {
    proxy.refusals.set(names.blobs, 403)
    const env = { ...named(secure), HTTPS_PROXY: proxy.url, AWS_CA_BUNDLE: authority.bundle }
    const { exitCode, stdout, stderr } = await pull(env)
    expect(stderr).toMatch(/the layers are kept on blobs\.test:\d+, another host than the registry/)
    expect(stderr).toMatch(/the proxy 127\.0\.0\.1:\d+ refused to connect \(403\)/)
    expect(stderr).toContain('prod-us-east-1-starport-layer-bucket.s3.us-east-1.amazonaws.com')
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' })
  })
})

describe.skipIf(!canRun)('a private certificate authority', () => {
  const env = (more: Readonly<Record<string, string>>) => ({
    ...named(secure),
    HTTPS_PROXY: proxy.url,
    ...more,
  })

  test.each(['AWS_CA_BUNDLE', 'NODE_EXTRA_CA_CERTS', 'SSL_CERT_FILE'])(
    'of %s is trusted for control plane, manifests and layers',
    async (variable) => {
      const before = secure.requests.length
      const ended = await pull(env({ [variable]: authority.bundle }))
      expect(ended.stderr).not.toContain('error')
      expect(ended.exitCode).toBe(0)
      const listeners = secure.requests.slice(before).map(({ listener }) => listener)
      expect([...new Set(listeners)]).toEqual(['api', 'registry', 'blobs'])
    },
  )

  test('that nothing names is refused, on each plane, saying what to set', async () => {
    const [control, data] = await Promise.all([
      sregistry(['tags', 'science/hello'], env({})),
      // the token comes over http: only the data plane is left to fail
      sregistry(['manifest', image], {
        ...secure.environment,
        AWS_ENDPOINT_URL_ECR: plain.apiUrl,
        SREGISTRY_AWS_KEY: plain.user.accessKeyId,
        SREGISTRY_AWS_SECRET: plain.user.secretAccessKey,
      }),
    ])
    expect(control.stderr).toMatch(/^error TLS: api\.test:\d+ .*unknown authority/m)
    expect(data.stderr).toMatch(/^error TLS: 127\.0\.0\.1:\d+: .*unknown authority/m)
    for (const { stderr, exitCode } of [control, data]) {
      expect(stderr).toContain('NODE_EXTRA_CA_CERTS=/path/ca.pem (or AWS_CA_BUNDLE)')
      expect(exitCode).toBe(1)
    }
  })

  test.skipIf(!hasTool('aws'))('of AWS_CA_BUNDLE serves the aws command here too', async () => {
    const { run } = await import('../local-ecr/temporary-ecr.ts')
    const { stdout } = await run(
      'aws',
      ['ecr', 'describe-registry', '--endpoint-url', secure.apiUrl],
      {
        env: {
          PATH: process.env['PATH'],
          HOME: work,
          AWS_ACCESS_KEY_ID: secure.user.accessKeyId,
          AWS_SECRET_ACCESS_KEY: secure.user.secretAccessKey,
          AWS_DEFAULT_REGION: secure.region,
          AWS_CA_BUNDLE: authority.bundle,
        },
      },
    )
    expect(JSON.parse(stdout)).toMatchObject({ registryId: '123456789012' })
  })
})
