/** One HTTP layer for ECR, STS and SSO: a real proxy and a private CA hold for each of them. */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, request } from 'node:http'
import { type AddressInfo, connect, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer as createTlsServer } from 'node:tls'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type LocalEcr, startLocalEcr } from '../../src/local-ecr/local-ecr.ts'
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

function listening(server: Server): Promise<number> {
  return new Promise((done) =>
    server.listen(0, '127.0.0.1', () => done((server.address() as AddressInfo).port)),
  )
}

describe('a proxy', () => {
  /** Leads every name to this machine, as the only way there. */
  async function startProxy(status = 200) {
    const asked: string[] = []
    const proxy = createServer((incoming, response) => {
      // plain http comes whole, with its absolute URL
      const url = new URL(incoming.url ?? '')
      asked.push(url.hostname)
      if (status !== 200) {
        response.writeHead(status).end()
        return
      }
      const { method, headers } = incoming
      const target = { host: '127.0.0.1', port: url.port, path: url.pathname, method, headers }
      const outgoing = request(target, (answer) => {
        response.writeHead(answer.statusCode ?? 500, answer.headers)
        answer.pipe(response)
      })
      incoming.pipe(outgoing)
    })
    proxy.on('connect', (tunnel, socket) => {
      asked.push(tunnel.url ?? '')
      socket.on('error', () => undefined)
      socket.end(`HTTP/1.1 ${status} No\r\n\r\n`)
    })
    const port = await listening(proxy)
    const close = () => {
      proxy.closeAllConnections()
      proxy.close()
    }
    return { url: `http://me:planted-password@127.0.0.1:${port}`, port, asked, close }
  }

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
    const proxy = await startProxy()
    const env = environment(proxy.url, profile)
    try {
      await withEnvironment(env, async () => {
        const world = openAwsWorld(env, {}, home)
        expect((await world.connection.tokens.get()).registryHost).toBe(ecr.registryHost)
        await world.close()
      })
      expect(proxy.asked).toEqual(hosts)
    } finally {
      proxy.close()
    }
  })

  test.each([
    [407, 'http', /name and a password/, /user:password/],
    [407, 'https', /name and a password/, /user:password/],
    [403, 'https', /refused to connect \(403\)/, /NO_PROXY/],
  ])('that answers %i for %s is named, without its password', async (...row) => {
    const [status, scheme, message, hint] = row
    const proxy = await startProxy(status)
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
        expect((error as Error).message).toContain(`127.0.0.1:${proxy.port}`)
        expect((error as { hint: string }).hint).toMatch(hint)
        expect(String(error)).not.toContain('planted-password')
      })
    } finally {
      proxy.close()
    }
  })
})

describe.skipIf(!hasTool('openssl'))('a private certificate authority', () => {
  let tls: Server
  let bundle: string
  let endpoint: string
  beforeAll(async () => {
    bundle = join(home, 'cert.pem')
    const files = ['-keyout', join(home, 'key.pem'), '-out', bundle]
    const name = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost']
    const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2']
    spawnSync('openssl', ['req', '-x509', ...kind, ...files, ...name])
    const [key, cert] = await Promise.all([readFile(join(home, 'key.pem')), readFile(bundle)])
    const apiPort = Number(new URL(ecr.apiUrl).port)
    tls = createTlsServer({ key, cert }, (socket) => {
      const target = connect(apiPort, '127.0.0.1')
      target.pipe(socket).pipe(target)
      for (const end of [target, socket]) end.on('error', () => target.destroy())
    })
    endpoint = `https://localhost:${await listening(tls)}`
  })
  afterAll(() => void tls.close())

  async function tokenWith(env: Readonly<Record<string, string>>) {
    const world = openAwsWorld({ ...ecr.environment, AWS_ENDPOINT_URL_ECR: endpoint, ...env })
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
    expect((await tokenWith({ AWS_CA_BUNDLE: bundle })).registryHost).toBe(ecr.registryHost)
  })
})
