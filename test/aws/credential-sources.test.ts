/** Every source of the SDK's chain, against fake endpoints: the key must sign for a real check of SigV4. */
import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { inspect } from 'node:util'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { AwsOptions } from '../../src/aws/aws-setting-finder.ts'
import { describeCredentials } from '../../src/aws/credentials.ts'
import { type LocalEcr, startLocalEcr } from '../../src/local-ecr/local-ecr.ts'
import { withoutRetryDelays } from '../fakes/quick-retries.ts'
import { openAwsWorld } from './aws-world.ts'
import { type FakeAws, startFakeAws } from './fake-aws.ts'
import { withEnvironment } from './process-environment.ts'

const role = {
  accessKeyId: 'ASIATESTROLE12345678',
  secretAccessKey: 'role-secret-planted-4711',
  sessionToken: 'role-session-token-planted-4712',
  expiration: new Date(Date.now() + 3600_000).toISOString(),
}
let ecr: LocalEcr
let aws: FakeAws
let root: string
let home: string

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'aws-sources-'))
  ecr = await startLocalEcr({ root })
  ecr.addPrincipal({ ...role, arn: 'arn:aws:sts::123456789012:assumed-role/puller/test' })
  aws = await startFakeAws(role)
})
afterAll(async () => {
  await aws.close()
  await ecr.close()
  await rm(root, { recursive: true, force: true })
})
beforeEach(async () => {
  home = await mkdtemp(join(root, 'home-'))
  aws.asked.length = 0
  aws.stsError = undefined
})

type Scenario = {
  readonly files?: Readonly<Record<string, string>>
  readonly env?: Readonly<Record<string, string>>
  readonly options?: AwsOptions
  readonly more?: Parameters<typeof openAwsWorld>[3]
}

const staticKeys = () =>
  `aws_access_key_id = ${ecr.user.accessKeyId}\naws_secret_access_key = ${ecr.user.secretAccessKey}\n`

async function inScenario<Result>(
  { files = {}, env = {}, options = {}, more = {} }: Scenario,
  run: (world: ReturnType<typeof openAwsWorld>) => Promise<Result>,
): Promise<Result> {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(home, name)), { recursive: true })
    await writeFile(join(home, name), text)
  }
  const whole = {
    HOME: home,
    AWS_REGION: ecr.region,
    AWS_ENDPOINT_URL_ECR: ecr.apiUrl,
    AWS_ENDPOINT_URL_STS: aws.url,
    AWS_ENDPOINT_URL_SSO: aws.url,
    AWS_EC2_METADATA_DISABLED: 'true',
    ...env,
  }
  return withEnvironment(whole, async () => {
    const world = openAwsWorld(whole, options, home, more)
    try {
      return await run(world)
    } finally {
      await world.close()
    }
  })
}

/** The token is given only when the signature of the credentials is right. */
function useCredentials(scenario: Scenario) {
  return inScenario(scenario, async ({ connection, settings }) => {
    const token = await connection.tokens.get()
    expect(token.registryHost).toBe(ecr.registryHost)
    return describeCredentials(connection.controlPlane, settings)
  })
}

const ssoCache = (name: string, expiresAt: string) => ({
  [`.aws/sso/cache/${createHash('sha1').update(name).digest('hex')}.json`]: JSON.stringify({
    accessToken: 'sso-access-token-planted',
    expiresAt,
    region: 'us-east-1',
    startUrl: 'https://example.awsapps.com/start',
  }),
})
const inAnHour = new Date(Date.now() + 3600_000).toISOString()
const anHourAgo = new Date(Date.now() - 3600_000).toISOString()
const ssoProfile =
  'sso_session = corp\nsso_account_id = 123456789012\nsso_role_name = puller\n[sso-session corp]\nsso_region = us-east-1\nsso_start_url = https://example.awsapps.com/start\n'

describe('each source of credentials works and is named', () => {
  const cases: readonly (readonly [string, () => Scenario, string, string | undefined])[] = [
    [
      'SREGISTRY_AWS_KEY and _SECRET, before all others',
      () => ({
        env: {
          SREGISTRY_AWS_KEY: ecr.user.accessKeyId,
          SREGISTRY_AWS_SECRET: ecr.user.secretAccessKey,
          AWS_ACCESS_KEY_ID: 'AKIAWRONGWRONGWRONG0',
          AWS_SECRET_ACCESS_KEY: 'wrong',
        },
      }),
      'environment SREGISTRY_AWS_KEY',
      undefined,
    ],
    [
      'environment variables',
      () => ({
        env: {
          AWS_ACCESS_KEY_ID: ecr.user.accessKeyId,
          AWS_SECRET_ACCESS_KEY: ecr.user.secretAccessKey,
        },
      }),
      'environment variables',
      undefined,
    ],
    [
      'the default profile',
      () => ({ files: { '.aws/credentials': `[default]\n${staticKeys()}` } }),
      'profile default (static keys)',
      undefined,
    ],
    [
      'a named profile',
      () => ({
        env: { AWS_PROFILE: 'work' },
        files: { '.aws/config': `[profile work]\n${staticKeys()}` },
      }),
      'profile work (static keys)',
      undefined,
    ],
    [
      'a profile given as an option',
      () => ({
        options: { profile: 'lab' },
        files: { '.aws/credentials': `[lab]\n${staticKeys()}` },
      }),
      'profile lab (static keys)',
      undefined,
    ],
    [
      'credential_process',
      () => ({
        env: { AWS_PROFILE: 'made' },
        files: {
          'key.json': JSON.stringify({
            Version: 1,
            AccessKeyId: role.accessKeyId,
            SecretAccessKey: role.secretAccessKey,
            SessionToken: role.sessionToken,
            Expiration: role.expiration,
          }),
          '.aws/config': `[profile made]\ncredential_process = cat ${join(home, 'key.json')}\n`,
        },
      }),
      'profile made (credential_process)',
      undefined,
    ],
    [
      'single sign-on, from its cache file',
      () => ({
        env: { AWS_PROFILE: 'sso' },
        files: { '.aws/config': `[profile sso]\n${ssoProfile}`, ...ssoCache('corp', inAnHour) },
      }),
      'profile sso (single sign-on)',
      'SSO',
    ],
    [
      'a role taken by another profile',
      () => ({
        env: { AWS_PROFILE: 'puller' },
        files: {
          '.aws/config':
            '[profile puller]\nrole_arn = arn:aws:iam::210987654321:role/puller\nsource_profile = base\n',
          '.aws/credentials': `[base]\n${staticKeys()}`,
        },
      }),
      'profile puller (assumed role)',
      'STS AssumeRole',
    ],
    [
      'web identity (IRSA)',
      () => ({
        env: {
          AWS_WEB_IDENTITY_TOKEN_FILE: join(home, 'token'),
          AWS_ROLE_ARN: 'arn:aws:iam::210987654321:role/puller',
        },
        files: { token: 'web-identity-token-planted' },
      }),
      'web identity token of the environment (IRSA)',
      'STS AssumeRoleWithWebIdentity',
    ],
    [
      'a container endpoint',
      () => ({ env: { AWS_CONTAINER_CREDENTIALS_FULL_URI: `${aws.url}/container` } }),
      'container credentials',
      'container',
    ],
    [
      'a role taken with the credentials of the container',
      () => ({
        env: {
          AWS_PROFILE: 'puller',
          AWS_CONTAINER_CREDENTIALS_FULL_URI: `${aws.url}/container`,
        },
        files: {
          '.aws/config':
            '[profile puller]\nrole_arn = arn:aws:iam::210987654321:role/puller\ncredential_source = EcsContainer\n',
        },
      }),
      'profile puller (assumed role)',
      'STS AssumeRole',
    ],
    [
      'static keys, before a container endpoint that would refuse',
      () => ({
        env: { AWS_CONTAINER_CREDENTIALS_FULL_URI: `${aws.url}/container-refused` },
        files: { '.aws/credentials': `[default]\n${staticKeys()}` },
      }),
      'profile default (static keys)',
      undefined,
    ],
    [
      'instance metadata',
      () => ({
        env: {
          AWS_EC2_METADATA_DISABLED: 'false',
          AWS_EC2_METADATA_SERVICE_ENDPOINT: aws.url,
        },
      }),
      'EC2 instance metadata',
      'IMDS /latest/meta-data/iam/security-credentials/instance-role',
    ],
  ]

  test.each(cases)('%s', async (_, scenario, source, asked) => {
    const found = await useCredentials(scenario())
    expect(found.source).toBe(source)
    if (asked !== undefined) expect(aws.asked).toContain(asked)
    expect(found.isTemporary).toBe(found.keyId.startsWith('ASIA'))
    if (found.isTemporary) expect(found.expiresAt?.toISOString()).toBe(role.expiration)
    expect(found.keyId).toMatch(/^A[KS]IA….{4}$/)
    expect(inspect(found)).not.toContain('planted')
  })

  test('the account of a role is known without a call', async () => {
    const scenario = {
      env: { AWS_PROFILE: 'puller' },
      files: {
        '.aws/config':
          '[profile puller]\nrole_arn = arn:aws:iam::210987654321:role/puller\nsource_profile = base\n',
        '.aws/credentials': `[base]\n${staticKeys()}`,
      },
    }
    expect(await useCredentials(scenario)).toMatchObject({ account: '210987654321' })
  })
})

describe('a source that fails says why', () => {
  let restoreDelays: () => void
  beforeAll(() => {
    restoreDelays = withoutRetryDelays()
  })
  afterAll(() => restoreDelays())

  const roleProfile =
    '[profile puller]\nrole_arn = arn:aws:iam::210987654321:role/puller\nsource_profile = base\n'
  const cases: readonly (readonly [string, () => Scenario, string, RegExp, RegExp])[] = [
    [
      'nothing configured',
      () => ({}),
      'CREDENTIALS_MISSING',
      /none in the environment/,
      /aws configure/,
    ],
    [
      'a profile that is not there',
      () => ({
        env: { AWS_PROFILE: 'wrok' },
        files: { '.aws/config': `[profile work]\n${staticKeys()}` },
      }),
      'CREDENTIALS_MISSING',
      /profile wrok \(environment AWS_PROFILE\) is in neither/,
      /there are: work/,
    ],
    [
      'half a key pair in the environment',
      () => ({ env: { AWS_ACCESS_KEY_ID: 'AKIAHALF' } }),
      'CREDENTIALS_MISSING',
      /AWS_SECRET_ACCESS_KEY is missing/,
      /export AWS_SECRET_ACCESS_KEY/,
    ],
    [
      'half a key pair in a profile',
      () => ({
        files: { '.aws/credentials': '[default]\naws_access_key_id = AKIAHALF\n' },
      }),
      'CREDENTIALS_MISSING',
      /aws_secret_access_key is missing in .*credentials/,
      /aws configure --profile default/,
    ],
    [
      'a source_profile that is not there',
      () => ({ env: { AWS_PROFILE: 'puller' }, files: { '.aws/config': roleProfile } }),
      'CREDENTIALS_MISSING',
      /from profile base, which is in neither/,
      /aws configure --profile base/,
    ],
    [
      'a refused container endpoint',
      () => ({ env: { AWS_CONTAINER_CREDENTIALS_FULL_URI: `${aws.url}/container-refused` } }),
      'CREDENTIALS_MISSING',
      /container's credential endpoint \(AWS_CONTAINER_CREDENTIALS_FULL_URI\) gave none: it answered with status 403/,
      /task role/,
    ],
    [
      'single sign-on that ended',
      () => ({
        env: { AWS_PROFILE: 'sso' },
        files: { '.aws/config': `[profile sso]\n${ssoProfile}`, ...ssoCache('corp', anHourAgo) },
      }),
      'CREDENTIALS_EXPIRED',
      /single sign-on of profile sso ended at/,
      /aws sso login --profile sso/,
    ],
    [
      'single sign-on without a login',
      () => ({
        env: { AWS_PROFILE: 'sso' },
        files: { '.aws/config': `[profile sso]\n${ssoProfile}` },
      }),
      'CREDENTIALS_EXPIRED',
      /nobody is logged in/,
      /aws sso login --profile sso/,
    ],
    [
      'MFA with nobody to ask',
      () => ({
        env: { AWS_PROFILE: 'puller' },
        files: {
          '.aws/config': `${roleProfile}mfa_serial = arn:aws:iam::123456789012:mfa/me\n`,
          '.aws/credentials': `[base]\n${staticKeys()}`,
        },
      }),
      'CREDENTIALS_MISSING',
      /MFA device arn:aws:iam::123456789012:mfa\/me/,
      /on a terminal/,
    ],
    [
      'a web identity token file that is not there',
      () => ({
        env: {
          AWS_WEB_IDENTITY_TOKEN_FILE: join(home, 'absent'),
          AWS_ROLE_ARN: 'arn:aws:iam::210987654321:role/puller',
        },
      }),
      'CREDENTIALS_MISSING',
      /web identity token file .*absent is not there/,
      /IRSA/,
    ],
    [
      'single sign-on that ended, behind a role',
      () => ({
        env: { AWS_PROFILE: 'puller' },
        files: {
          '.aws/config': `${roleProfile}[profile base]\n${ssoProfile}`,
          ...ssoCache('corp', anHourAgo),
        },
      }),
      'CREDENTIALS_EXPIRED',
      /single sign-on of profile base ended at/,
      /aws sso login --profile base/,
    ],
    [
      'half a key pair behind a role',
      () => ({
        env: { AWS_PROFILE: 'puller' },
        files: { '.aws/config': `${roleProfile}[profile base]\naws_access_key_id = AKIAHALF\n` },
      }),
      'CREDENTIALS_MISSING',
      /half a key pair in profile base: aws_secret_access_key is missing/,
      /aws configure --profile base/,
    ],
    [
      'source profiles in a ring',
      () => ({
        env: { AWS_PROFILE: 'puller' },
        files: {
          '.aws/config': `${roleProfile}[profile base]\nrole_arn = arn:aws:iam::210987654321:role/other\nsource_profile = puller\n`,
        },
      }),
      'CREDENTIALS_MISSING',
      /from itself: puller → base → puller/,
      /mend source_profile in .*config/,
    ],
    [
      'a credential_source that has none',
      () => ({
        env: { AWS_PROFILE: 'puller' },
        files: {
          '.aws/config':
            '[profile puller]\nrole_arn = arn:aws:iam::210987654321:role/puller\ncredential_source = Environment\n',
        },
      }),
      'CREDENTIALS_MISSING',
      /profile puller takes its credentials from the environment, which has none/,
      /export AWS_ACCESS_KEY_ID/,
    ],
    [
      'a credential_source that is none',
      () => ({
        env: { AWS_PROFILE: 'puller' },
        files: {
          '.aws/config':
            '[profile puller]\nrole_arn = arn:aws:iam::210987654321:role/puller\ncredential_source = Enviroment\n',
        },
      }),
      'CREDENTIALS_MISSING',
      /"Enviroment", which is no credential_source/,
      /one of Environment, EcsContainer, Ec2InstanceMetadata/,
    ],
    [
      'aws login without a session',
      () => ({
        env: { AWS_PROFILE: 'console' },
        files: {
          '.aws/config':
            '[profile console]\nlogin_session = arn:aws:iam::123456789012:user/me\nregion = us-east-1\n',
        },
      }),
      'CREDENTIALS_EXPIRED',
      /profile console uses aws login, and nobody is logged in/,
      /aws login --profile console/,
    ],
    [
      'a credential_process that fails',
      () => ({
        env: { AWS_PROFILE: 'made' },
        files: { '.aws/config': '[profile made]\ncredential_process = false --secret planted\n' },
      }),
      'CREDENTIALS_MISSING',
      /credential_process of profile made \(false\)/,
      /by hand/,
    ],
  ]
  test.each(cases)('%s', async (_, scenario, code, message, hint) => {
    const error = await useCredentials(scenario()).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code })
    expect((error as Error).message).toMatch(message)
    expect((error as { hint: string }).hint).toMatch(hint)
    const shown = inspect(error, { depth: Number.POSITIVE_INFINITY, showHidden: true })
    expect(shown).not.toContain('planted')
    expect(shown).not.toContain(ecr.user.secretAccessKey)
  })

  test('a role that may not be taken shows the action and who refuses', async () => {
    aws.stsError = {
      code: 'AccessDenied',
      message:
        'User: arn:aws:iam::123456789012:user/me is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::210987654321:role/puller',
    }
    const scenario = {
      env: { AWS_PROFILE: 'puller' },
      files: { '.aws/config': roleProfile, '.aws/credentials': `[base]\n${staticKeys()}` },
    }
    await expect(useCredentials(scenario)).rejects.toMatchObject({
      code: 'ACCESS_DENIED',
      hint: expect.stringContaining('"Action":"sts:AssumeRole"'),
    })
  })
})

test('a file that the user mends while the program runs is read anew', async () => {
  await inScenario({ env: { AWS_PROFILE: 'late' } }, async ({ connection }) => {
    await expect(connection.tokens.get()).rejects.toMatchObject({ code: 'CREDENTIALS_MISSING' })
    await mkdir(join(home, '.aws'), { recursive: true })
    await writeFile(join(home, '.aws', 'credentials'), `[late]\n${staticKeys()}`)
    expect((await connection.tokens.get()).registryHost).toBe(ecr.registryHost)
  })
})

test('keys that AWS refused are read anew after the user mended them', async () => {
  const credentials = join(home, '.aws', 'credentials')
  const wrong = `[default]\naws_access_key_id = ${ecr.user.accessKeyId}\naws_secret_access_key = wrong\n`
  await inScenario({ files: { '.aws/credentials': wrong } }, async ({ connection }) => {
    await expect(connection.tokens.get()).rejects.toMatchObject({
      code: 'CREDENTIALS_INVALID',
      message: expect.stringContaining('profile default (static keys)'),
    })
    await writeFile(credentials, `[default]\n${staticKeys()}`)
    expect((await connection.tokens.get()).registryHost).toBe(ecr.registryHost)
  })
})

test('the code of an MFA device is asked for, and goes to STS', async () => {
  const files = {
    '.aws/config':
      '[profile puller]\nrole_arn = arn:aws:iam::210987654321:role/puller\nsource_profile = base\nmfa_serial = arn:aws:iam::123456789012:mfa/me\n',
    '.aws/credentials': `[base]\n${staticKeys()}`,
  }
  const serials: string[] = []
  const mfaCode = async (serial: string) => {
    serials.push(serial)
    return '123456'
  }
  const scenario = { env: { AWS_PROFILE: 'puller' }, files, more: { mfaCode } }
  expect(await useCredentials(scenario)).toMatchObject({ source: 'profile puller (assumed role)' })
  expect(serials).toEqual(['arn:aws:iam::123456789012:mfa/me'])
  expect(aws.asked).toEqual(['STS AssumeRole with code 123456'])
})
