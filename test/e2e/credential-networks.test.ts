/** STS and SSO where a site has an authority of its own, and a proxy as the only way out. */
import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type FakeAws, startFakeAws } from '../aws/fake-aws.ts'
import { makePrivateAuthority, type PrivateAuthority } from '../fakes/certificate.ts'
import { type ForwardProxy, proxyPassword, startForwardProxy } from '../fakes/forward-proxy.ts'
import { type Ended, runProgram } from '../fakes/program.ts'
import { hasTool } from '../fakes/tools.ts'
import { startTemporaryEcr, type TemporaryEcr } from '../local-ecr/temporary-ecr.ts'

const names = ['api.test', 'registry.test', 'sts.test', 'sso.test', 'oidc.test']
const role = {
  accessKeyId: 'ASIATESTROLE12345678',
  secretAccessKey: 'role-secret-planted',
  sessionToken: 'role-session-token-planted',
  expiration: new Date(Date.now() + 3600_000).toISOString(),
}
let home: string
let authority: PrivateAuthority
let proxy: ForwardProxy
let world: TemporaryEcr
let aws: FakeAws

const canRun = hasTool('openssl')

beforeAll(async () => {
  if (!canRun) return
  home = await mkdtemp(join(tmpdir(), 'credential-networks-'))
  authority = makePrivateAuthority(home, names)
  proxy = await startForwardProxy()
  world = await startTemporaryEcr({ tls: authority, extraHosts: names })
  world.ecr.addPrincipal({ ...role, arn: 'arn:aws:sts::123456789012:assumed-role/puller/test' })
  aws = await startFakeAws(role, authority)
})
afterAll(async () => {
  if (!canRun) return
  proxy.close()
  await aws.close()
  await world.close()
  await rm(home, { recursive: true, force: true })
})
beforeEach(async () => {
  if (canRun) await writeConfiguration() // a token that was renewed is kept there
  proxy?.asked.splice(0)
  proxy?.refusals.clear()
  aws?.asked.splice(0)
})

async function writeConfiguration(): Promise<void> {
  const cache = join(home, '.aws', 'sso', 'cache')
  await mkdir(cache, { recursive: true })
  const single = (session: string) => `[profile ${session}]
sso_session = ${session}
sso_account_id = 123456789012
sso_role_name = puller
[sso-session ${session}]
sso_region = us-east-1
sso_start_url = https://example.awsapps.com/start
`
  const config = `[profile role]
role_arn = arn:aws:iam::123456789012:role/puller
source_profile = base
[profile base]
aws_access_key_id = ${world.ecr.user.accessKeyId}
aws_secret_access_key = ${world.ecr.user.secretAccessKey}
[profile web]
role_arn = arn:aws:iam::123456789012:role/puller
web_identity_token_file = ${join(home, 'web-token')}
${single('sso')}${single('renewed')}`
  await writeFile(join(home, '.aws', 'config'), config)
  await writeFile(join(home, 'web-token'), 'web-identity-planted')
  const file = (name: string) =>
    join(cache, `${createHash('sha1').update(name).digest('hex')}.json`)
  const token = { accessToken: 'sso-planted', expiresAt: role.expiration }
  await writeFile(file('sso'), JSON.stringify(token))
  const over = {
    accessToken: 'old-planted',
    expiresAt: new Date(Date.now() - 1000).toISOString(),
    refreshToken: 'refresh-planted',
    clientId: 'client-planted',
    clientSecret: 'client-secret-planted',
    registrationExpiresAt: role.expiration,
  }
  await writeFile(file('renewed'), JSON.stringify(over))
}

const portOf = (url: string) => new URL(url).port

/** Names that only the proxy leads to, or this machine's own where there is none. */
function environment(profile: string, host: (name: string) => string): Record<string, string> {
  const at = (name: string, url: string) => `https://${host(name)}:${portOf(url)}`
  return {
    HOME: home,
    AWS_PROFILE: profile,
    AWS_REGION: world.ecr.region,
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_ENDPOINT_URL_ECR: at('api.test', world.ecr.apiUrl),
    AWS_ENDPOINT_URL_STS: at('sts.test', aws.url),
    AWS_ENDPOINT_URL_SSO: at('sso.test', aws.url),
    AWS_ENDPOINT_URL_SSO_OIDC: at('oidc.test', aws.url),
    SREGISTRY_AWS_BASE: `https://${host('registry.test')}:${portOf(`https://${world.ecr.registryHost}`)}`,
  }
}
const direct = (profile: string) => environment(profile, () => '127.0.0.1')
const proxied = (profile: string) => ({
  ...environment(profile, (name) => name),
  HTTPS_PROXY: proxy.url,
})

async function whoami(env: Readonly<Record<string, string>>): Promise<Ended> {
  const ended = await runProgram(['whoami'], { env, directory: home })
  const text = ended.stdout + ended.stderr
  expect(text).not.toContain('planted')
  expect(text).not.toContain(proxyPassword)
  return ended
}

const sources: readonly (readonly [string, string, readonly string[]])[] = [
  ['role', 'STS AssumeRole', ['sts.test', 'api.test']],
  ['web', 'STS AssumeRoleWithWebIdentity', ['sts.test', 'api.test']],
  ['sso', 'SSO', ['sso.test', 'api.test']],
  ['renewed', 'OIDC', ['oidc.test', 'sso.test', 'api.test']],
]

describe.skipIf(!canRun)('a private certificate authority', () => {
  test.each(
    sources.flatMap(([profile, asked]) =>
      ['AWS_CA_BUNDLE', 'NODE_EXTRA_CA_CERTS'].map(
        (variable) => [profile, variable, asked] as const,
      ),
    ),
  )('holds for the service behind profile %s, by %s', async (profile, variable, asked) => {
    const ended = await whoami({ ...direct(profile), [variable]: authority.bundle })
    expect(ended).toMatchObject({ exitCode: 0, stderr: '' })
    expect(aws.asked).toContain(asked)
  })

  test.each([
    ['role', 'sts.test'],
    ['sso', 'sso.test'],
    ['renewed', 'oidc.test'],
  ])(
    'that nothing names is refused, and the host that has it is named: %s',
    async (profile, host) => {
      const { exitCode, stderr } = await whoami(proxied(profile))
      expect(stderr).toMatch(new RegExp(`^error TLS: ${host}:\\d+.*unknown authority`, 'm'))
      expect(stderr).toContain('AWS_CA_BUNDLE')
      expect(exitCode).toBe(1)
    },
  )
})

describe.skipIf(!canRun)('a proxy', () => {
  test.each(sources)('carries every request of profile %s', async (profile, asked, hosts) => {
    const ended = await whoami({ ...proxied(profile), AWS_CA_BUNDLE: authority.bundle })
    expect(ended).toMatchObject({ exitCode: 0, stderr: '' })
    expect([...new Set(proxy.asked)]).toEqual(hosts.map((host) => `CONNECT ${host}`))
    expect(aws.asked).toContain(asked)
  })

  test.each([
    ['role', 'sts.test'],
    ['sso', 'sso.test'],
  ])('that lets profile %s not through is named with the host', async (profile, host) => {
    proxy.refusals.set(host, 403)
    const env = { ...proxied(profile), AWS_CA_BUNDLE: authority.bundle }
    const { exitCode, stderr } = await whoami(env)
    expect(stderr).toMatch(
      new RegExp(
        `^error NETWORK: .*proxy 127\\.0\\.0\\.1:\\d+ refused to connect \\(403\\).*${host}`,
        'm',
      ),
    )
    expect(exitCode).toBe(1)
  })
})

test.skipIf(!canRun)('a service that cannot be reached is named, not ECR', async () => {
  const { stderr, exitCode } = await whoami({
    ...direct('role'),
    AWS_CA_BUNDLE: authority.bundle,
    AWS_ENDPOINT_URL_STS: 'https://sts.nowhere.invalid',
  })
  expect(stderr).toMatch(/^error NETWORK: sts\.nowhere\.invalid/m)
  expect(exitCode).toBe(1)
})
