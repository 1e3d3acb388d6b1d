/**
 * Every way to have ECR wrong, produced once and met by three clients with the same environment: the
 * `aws` command and skopeo, which know nothing of us, and our own. What they say shows that the local
 * ECR fails as ECR does; what ours says is what the user reads.
 */
import { createHash } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { AwsClient } from '../../src/client/aws-client.ts'
import { type ErrorCode, exitCodeOf, isSregistryError } from '../../src/errors/sregistry-error.ts'
import type { Denial } from '../../src/local-ecr/policy.ts'
import { type AwsClientWorld, openAwsClientWorld } from '../client/aws-world.ts'
import { type ForwardProxy, startForwardProxy } from '../fakes/forward-proxy.ts'
import { withoutRetryDelays } from '../fakes/quick-retries.ts'
import { hasTool } from '../fakes/tools.ts'
import { run } from '../local-ecr/temporary-ecr.ts'

type Variables = Readonly<Record<string, string>>

type Scenario = {
  readonly of: string
  /** Brings it about; gives what it takes in the environment. */
  readonly arrange?: () => Variables | Promise<Variables>
  /** Arguments after `aws`, and what it then says: the name of ECR's error where it names one. */
  readonly aws?: readonly [args: string, says: string]
  /** Arguments after `skopeo`, of the data plane, with our token. */
  readonly skopeo?: readonly [args: string, says: string]
  /** What we are asked; default: the manifest of library/busybox. */
  readonly ours?: (client: AwsClient) => Promise<unknown>
  /** Ours; undefined where we mend it ourselves. */
  readonly code: ErrorCode | undefined
  /** The mend. */
  readonly hint?: RegExp
}

let world: AwsClientWorld
let proxy: ForwardProxy
let restoreDelays: () => void
beforeAll(async () => {
  restoreDelays = withoutRetryDelays()
  world = await openAwsClientWorld()
  proxy = await startForwardProxy()
})
afterAll(async () => {
  restoreDelays()
  proxy.close()
  await world.close()
})
beforeEach(() => proxy.refusals.clear())
afterEach(() => world.reset())

const hasAws = hasTool('aws')
const hasSkopeo = hasTool('skopeo')

const describeImage = 'ecr describe-images --repository-name library/busybox'
const getPassword = 'ecr get-login-password'
const inspect = (reference: string) => `inspect docker://REGISTRY/${reference}`
const inAnHour = 3600_000

const scenarios: readonly Scenario[] = [
  {
    of: 'no credentials',
    arrange: () => ({ AWS_ACCESS_KEY_ID: '', AWS_SECRET_ACCESS_KEY: '' }),
    aws: [getPassword, 'Unable to locate credentials'],
    code: 'CREDENTIALS_MISSING',
    hint: /aws configure/,
  },
  {
    of: 'a wrong secret',
    arrange: () => ({ AWS_SECRET_ACCESS_KEY: 'not-the-secret' }),
    aws: [getPassword, '(InvalidSignatureException)'],
    code: 'CREDENTIALS_INVALID',
    hint: /enter the pair again: export AWS_ACCESS_KEY_ID=… AWS_SECRET_ACCESS_KEY=…/,
  },
  {
    of: 'an unknown key',
    arrange: () => ({ AWS_ACCESS_KEY_ID: 'AKIAUNKNOWNUNKNOWN00' }),
    aws: [getPassword, '(UnrecognizedClientException)'],
    code: 'CREDENTIALS_INVALID',
    hint: /a typo, a deleted key/,
  },
  {
    of: 'an expired session',
    arrange: () => sessionKey(Date.now() - 1000),
    aws: [getPassword, '(ExpiredTokenException)'],
    code: 'CREDENTIALS_EXPIRED',
    hint: /aws sso login/,
  },
  {
    of: 'a session key without its token',
    arrange: () => ({ ...sessionKey(Date.now() + inAnHour), AWS_SESSION_TOKEN: '' }),
    aws: [getPassword, '(UnrecognizedClientException)'],
    code: 'CREDENTIALS_INVALID',
    hint: /export AWS_SESSION_TOKEN too/,
  },
  {
    of: 'single sign-on that ended',
    arrange: endedSingleSignOn,
    aws: [getPassword, 'Token has expired'],
    code: 'CREDENTIALS_EXPIRED',
    hint: /aws sso login --profile ended/,
  },
  {
    of: 'a clock that is wrong, which our client corrects',
    arrange: wrongClock,
    aws: [getPassword, '(InvalidSignatureException)'],
    code: undefined,
  },
  {
    of: 'a clock that is wrong, and nothing that tells the right time',
    arrange: () => {
      world.ecr.faults.add({ listener: 'api', fault: { kind: 'no-date' } })
      return wrongClock()
    },
    aws: [getPassword, 'Signature expired: '],
    code: 'CLOCK_SKEW',
    hint: /timedatectl set-ntp true/,
  },
  {
    of: 'an explicit deny',
    arrange: denied({ action: 'GetAuthorizationToken', reason: 'explicit' }),
    aws: [getPassword, '(AccessDeniedException)'],
    code: 'ACCESS_DENIED',
    hint: /ask the account's administrator/,
  },
  {
    of: 'ecr:GetAuthorizationToken is missing',
    arrange: denied({ action: 'GetAuthorizationToken' }),
    aws: [getPassword, 'is not authorized to perform: ecr:GetAuthorizationToken on resource: *'],
    code: 'ACCESS_DENIED',
    hint: /\{"Effect":"Allow","Action":"ecr:GetAuthorizationToken","Resource":"\*"\}/,
  },
  {
    of: 'ecr:BatchGetImage is missing',
    arrange: denied({ action: 'BatchGetImage' }),
    aws: [
      'ecr batch-get-image --repository-name library/busybox --image-ids imageTag=latest',
      'is not authorized to perform: ecr:BatchGetImage on resource: arn:aws:ecr:us-east-1:123456789012:repository/library/busybox',
    ],
    skopeo: [inspect('library/busybox:latest'), 'is not authorized to perform: ecr:BatchGetImage'],
    code: 'ACCESS_DENIED',
    hint: /"Action":"ecr:BatchGetImage","Resource":"arn:aws:ecr:us-east-1:123456789012:repository\/library\/busybox"/,
  },
  {
    of: 'a wrong region',
    arrange: () => ({ AWS_DEFAULT_REGION: 'eu-west-3', AWS_REGION: 'eu-west-3' }),
    aws: [getPassword, "scoped to a valid region, not 'eu-west-3'"],
    code: 'SETTING_INVALID',
    hint: /SREGISTRY_AWS_ZONE/,
  },
  {
    of: 'a wrong account',
    aws: [`${describeImage} --registry-id 999999999999`, 'no resource-based policy allows'],
    ours: async (client) => client.tags('library/busybox', { registryId: '999999999999' }),
    code: 'ACCESS_DENIED',
    hint: /the owner of the registry must allow ecr:ListImages/,
  },
  {
    of: 'a missing repository',
    aws: ['ecr list-images --repository-name library/busybx', '(RepositoryNotFoundException)'],
    skopeo: [
      inspect('library/busybx:latest'),
      "The repository with name 'library/busybx' does not exist in the registry with id '123456789012'",
    ],
    ours: (client) => client.manifest('library/busybx'),
    code: 'NAME_UNKNOWN',
    hint: /did you mean library\/busybox\?/,
  },
  {
    of: 'a missing tag',
    aws: [
      'ecr describe-images --repository-name science/hello --image-ids imageTag=1.11',
      '(ImageNotFoundException)',
    ],
    skopeo: [inspect('science/hello:1.11'), 'manifest unknown'],
    ours: (client) => client.manifest('science/hello:1.11'),
    code: 'MANIFEST_UNKNOWN',
    hint: /did you mean science\/hello:1\.1\b/,
  },
  {
    of: 'an archived image',
    arrange: async () => {
      await world.archive('science/hello', '1.0')
      return {}
    },
    skopeo: [inspect('science/hello:1.0'), 'manifest unknown'],
    ours: (client) => client.manifest('science/hello:1.0'),
    code: 'MANIFEST_UNKNOWN',
    hint: /aws ecr update-image-storage-class --repository-name science\/hello --image-id imageTag=1\.0/,
  },
  {
    of: 'throttled',
    arrange: () => {
      world.ecr.faults.add({ listener: 'api', fault: { kind: 'throttle' } })
      return {}
    },
    aws: [getPassword, '(ThrottlingException)'],
    code: 'THROTTLED',
    hint: /wait a minute/,
  },
  {
    of: 'an endpoint that cannot be reached',
    arrange: async () => ({ AWS_ENDPOINT_URL_ECR: `http://127.0.0.1:${await closedPort()}` }),
    aws: [getPassword, 'Could not connect to the endpoint URL'],
    code: 'NETWORK',
    hint: /is the port right\?/,
  },
  {
    of: 'a proxy that does not let us through',
    arrange: () => {
      proxy.refusals.set('api.test', 403)
      return { AWS_ENDPOINT_URL_ECR: 'https://api.test', HTTPS_PROXY: proxy.url }
    },
    aws: [getPassword, 'Failed to connect to proxy URL'],
    code: 'NETWORK',
    hint: /ask its administrator to allow api\.test, or add it to NO_PROXY/,
  },
  {
    of: 'a login page in place of ECR',
    arrange: () => {
      world.ecr.faults.add({ fault: { kind: 'html' } })
      return {}
    },
    // a KeyError is all that it has to say
    aws: [getPassword, "'authorizationData'"],
    skopeo: [inspect('library/busybox:latest'), "invalid character '<'"],
    code: 'PROTOCOL_ERROR',
    hint: /HTTPS_PROXY/,
  },
  {
    of: 'a token that expired, which our client renews',
    arrange: () => {
      world.ecr.expireTokens()
      return {}
    },
    skopeo: [inspect('library/busybox:latest'), 'Your authorization token has expired'],
    code: undefined,
  },
  {
    of: 'a layer host that is blocked',
    arrange: () => {
      world.ecr.faults.add({ listener: 'blobs', fault: { kind: 'reset', afterBytes: 0 } })
      return {}
    },
    skopeo: [inspect('library/busybox:latest'), 'connection reset by peer'],
    ours: (client) => client.config('library/busybox'),
    code: 'NETWORK',
    hint: /a firewall must let through: .*prod-us-east-1-starport-layer-bucket\.s3/,
  },
]

describe.each(scenarios.map((scenario) => [scenario.of, scenario] as const))(
  '%s',
  (_, scenario) => {
    let env: Variables
    let password: string
    beforeEach(async () => {
      password = (await world.use((client) => client.token({ raw: true }))) as string
      env = environment((await scenario.arrange?.()) ?? {})
    })

    const { aws, skopeo } = scenario
    if (aws !== undefined) {
      test.skipIf(!hasAws)('by the aws command', async () => {
        const [args, says] = aws
        expect(await failureOf('aws', args.split(' '), env)).toContain(says)
      })
    }
    if (skopeo !== undefined) {
      test.skipIf(!hasSkopeo)('by skopeo', async () => {
        const [text, says] = skopeo
        const args = text.replace('REGISTRY', world.ecr.registryHost).split(' ')
        const access = ['--tls-verify=false', '--retry-times=0', '--creds', `AWS:${password}`]
        expect(await failureOf('skopeo', [...args, ...access], env)).toContain(says)
      })
    }

    test('by our client', async () => {
      const ask = scenario.ours ?? ((client) => client.manifest('library/busybox'))
      const outcome = await world.use(ask, env).then(
        () => undefined,
        (error: unknown) => error,
      )
      if (scenario.code === undefined) {
        expect(outcome).toBeUndefined()
        return
      }
      if (!isSregistryError(outcome)) throw outcome ?? new Error('it was expected to fail')
      expect(outcome.hint).toMatch(scenario.hint ?? /./)
      expect({ code: outcome.code, exitCode: exitCodeOf(outcome) }).toEqual({
        code: scenario.code,
        exitCode: 1,
      })
    })
  },
)

/** The same for all three: what the `aws` command reads, and where our data plane is. */
function environment(more: Variables): Variables {
  const { ecr, home } = world
  return {
    HOME: home,
    AWS_ENDPOINT_URL_ECR: ecr.apiUrl,
    AWS_ACCESS_KEY_ID: ecr.user.accessKeyId,
    AWS_SECRET_ACCESS_KEY: ecr.user.secretAccessKey,
    AWS_DEFAULT_REGION: ecr.region,
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_MAX_ATTEMPTS: '1',
    XDG_RUNTIME_DIR: home,
    // the emulator's own settings would come first, and the aws command does not read them
    SREGISTRY_AWS_KEY: '',
    SREGISTRY_AWS_SECRET: '',
    SREGISTRY_AWS_ZONE: '',
    ...more,
  }
}

async function failureOf(tool: string, args: readonly string[], env: Variables): Promise<string> {
  const set = Object.entries(env).filter(([, value]) => value !== '')
  const whole = { PATH: process.env['PATH'], ...Object.fromEntries(set) }
  return run(tool, args, { env: whole }).then(
    ({ stdout }) => `no failure: ${stdout}`,
    (error: { stderr: string }) => error.stderr,
  )
}

function denied(denial: Denial): () => Variables {
  return () => {
    world.ecr.policy.deny(denial)
    return {}
  }
}

function wrongClock(): Variables {
  world.ecr.settings.clockOffsetSeconds = 3600
  return {}
}

function sessionKey(expiresAtMs: number): Variables {
  const key = {
    accessKeyId: 'ASIAPLANTEDPLANTED00',
    secretAccessKey: 'planted-session-secret',
    sessionToken: 'planted-session-token',
  }
  const arn = 'arn:aws:sts::123456789012:assumed-role/lab/me'
  world.ecr.addPrincipal({ ...key, expiresAtMs, arn })
  return {
    AWS_ACCESS_KEY_ID: key.accessKeyId,
    AWS_SECRET_ACCESS_KEY: key.secretAccessKey,
    AWS_SESSION_TOKEN: key.sessionToken,
  }
}

async function endedSingleSignOn(): Promise<Variables> {
  const { home } = world
  await mkdir(join(home, '.aws/sso/cache'), { recursive: true })
  await writeFile(
    join(home, '.aws/config'),
    `[profile ended]
sso_session = corp
sso_account_id = 123456789012
sso_role_name = puller
[sso-session corp]
sso_region = us-east-1
sso_start_url = https://example.awsapps.com/start
`,
  )
  const name = createHash('sha1').update('corp').digest('hex')
  const expiresAt = new Date(Date.now() - inAnHour).toISOString()
  const login = { startUrl: 'https://example.awsapps.com/start', region: 'us-east-1' }
  const text = JSON.stringify({ ...login, accessToken: 'planted-sso', expiresAt })
  await writeFile(join(home, '.aws/sso/cache', `${name}.json`), text)
  return { AWS_PROFILE: 'ended', AWS_ACCESS_KEY_ID: '', AWS_SECRET_ACCESS_KEY: '' }
}

function closedPort(): Promise<number> {
  const server = createServer()
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      const port = typeof address === 'object' && address !== null ? address.port : 0
      server.close(() => resolve(port))
    })
  })
}
