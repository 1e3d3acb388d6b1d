/** Every way to have AWS wrong, through the whole client: each with its own code and its own mend. */
import { createHash } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { AwsClient } from '../../src/client/aws-client.ts'
import {
  type ErrorCode,
  exitCodeOf,
  type SregistryError,
} from '../../src/errors/sregistry-error.ts'
import { portOf } from '../../src/local-ecr/listener.ts'
import { formatError, formatStack } from '../../src/terminal/error-message.ts'
import { terminalStyle } from '../../src/terminal/terminal-style.ts'
import { withoutRetryDelays } from '../fakes/quick-retries.ts'
import { type AwsClientWorld, openAwsClientWorld } from './aws-world.ts'

const planted = {
  secret: 'PlantedSecretPlantedSecretPlantedSecret00',
  key: 'AKIAPLANTEDPLANTED00',
  session: 'IQoJplantedplantedplantedplanted',
}

let world: AwsClientWorld
let restoreDelays: () => void
beforeAll(async () => {
  restoreDelays = withoutRetryDelays()
  world = await openAwsClientWorld()
})
beforeEach(() => world.reset())
afterAll(async () => {
  restoreDelays()
  await world.close()
})

/** What the user sees and what a curious program can reach: none of it may hold a secret. */
const seen: string[] = []
afterEach(() => {
  const { secretAccessKey, accessKeyId } = world.ecr.user
  for (const text of seen.splice(0)) {
    for (const secret of [...Object.values(planted), secretAccessKey, accessKeyId]) {
      expect(text).not.toContain(secret)
    }
    expect(text).not.toMatch(/X-Amz-Signature=(?!…)|Basic [A-Za-z0-9+/=]{20}|eyJ[\w-]{20}/)
  }
})

type Variables = Readonly<Record<string, string>>

async function failure(
  run: (client: AwsClient) => Promise<unknown>,
  env?: Variables,
): Promise<SregistryError> {
  const error = await world.failure(run, env)
  const style = terminalStyle({}, {})
  seen.push(formatError(error, style), formatStack(error))
  seen.push(inspect(error, { depth: Number.POSITIVE_INFINITY, showHidden: true }))
  return error
}

const pull = (reference: string) => (client: AwsClient) => client.pull(reference)
const pullBusybox = pull('library/busybox:latest')
const noOwnKeys = { SREGISTRY_AWS_KEY: '', SREGISTRY_AWS_SECRET: '' }

type Row = {
  readonly of: string
  readonly arrange?: () => Promise<Variables> | Variables | undefined
  readonly run?: (client: AwsClient) => Promise<unknown>
  readonly code: ErrorCode
  readonly message: RegExp
  readonly hint: RegExp
}

const rows: readonly Row[] = [
  {
    of: 'no credentials',
    arrange: () => noOwnKeys,
    code: 'CREDENTIALS_MISSING',
    message: /credentials/,
    hint: /AWS_ACCESS_KEY_ID|aws configure/,
  },
  {
    of: 'a wrong secret',
    arrange: () => ({ SREGISTRY_AWS_SECRET: planted.secret }),
    code: 'CREDENTIALS_INVALID',
    message: /secret key from environment SREGISTRY_AWS_KEY does not belong/,
    hint: /enter the pair again: export SREGISTRY_AWS_KEY=… SREGISTRY_AWS_SECRET=…/,
  },
  {
    of: 'an unknown key',
    arrange: () => ({ SREGISTRY_AWS_KEY: planted.key }),
    code: 'CREDENTIALS_INVALID',
    message: /does not know the access key from environment SREGISTRY_AWS_KEY/,
    hint: /^(?!.*aws sts)(?!.*whoami).*a deleted key.*enter the pair again: export SREGISTRY_AWS_KEY=… SREGISTRY_AWS_SECRET=…/,
  },
  {
    of: 'a wrong secret in the settings file',
    arrange: async () => {
      const file = join(world.home, 'pair.json')
      const pair = {
        SREGISTRY_AWS_KEY: world.ecr.user.accessKeyId,
        SREGISTRY_AWS_SECRET: planted.secret,
      }
      await writeFile(file, JSON.stringify({ aws: pair }))
      return { ...noOwnKeys, SREGISTRY_CLIENT_SECRETS: file }
    },
    code: 'CREDENTIALS_INVALID',
    message: /secret key from .*pair\.json does not belong/,
    hint: /enter the pair again: SREGISTRY_AWS_KEY and SREGISTRY_AWS_SECRET come from .*pair\.json/,
  },
  {
    of: 'half a key pair',
    arrange: () => ({ SREGISTRY_AWS_SECRET: '' }),
    code: 'SETTING_MISSING',
    message: /SREGISTRY_AWS_SECRET is missing/,
    hint: /set SREGISTRY_AWS_SECRET too/,
  },
  {
    of: 'an expired session token',
    arrange: () => ({ ...noOwnKeys, ...session({ expiresAtMs: Date.now() - 1000 }) }),
    code: 'CREDENTIALS_EXPIRED',
    message: /session from environment variables has expired/,
    hint: /aws sso login/,
  },
  {
    of: 'a session key without its token',
    arrange: () => ({ ...noOwnKeys, ...session({}), AWS_SESSION_TOKEN: '' }),
    code: 'CREDENTIALS_INVALID',
    message: /does not know the access key/,
    hint: /AWS_SESSION_TOKEN too/,
  },
  {
    of: 'an SSO session that was never begun',
    arrange: () => ssoProfile('never'),
    code: 'CREDENTIALS_EXPIRED',
    message: /profile never uses single sign-on, and nobody is logged in/,
    hint: /aws sso login --profile never/,
  },
  {
    of: 'an SSO session that is over',
    arrange: () => ssoProfile('over', new Date(Date.now() - 3_600_000)),
    code: 'CREDENTIALS_EXPIRED',
    message: /profile over.*(over|expired|ended)/,
    hint: /aws sso login --profile over/,
  },
  {
    of: 'an explicit deny',
    arrange: deny({ action: 'GetAuthorizationToken', reason: 'explicit' }),
    code: 'ACCESS_DENIED',
    message: /explicit deny/,
    hint: /administrator/,
  },
  {
    of: 'ecr:GetAuthorizationToken is missing',
    arrange: deny({ action: 'GetAuthorizationToken' }),
    code: 'ACCESS_DENIED',
    message: /not authorized to perform: ecr:GetAuthorizationToken/,
    hint: /\{"Effect":"Allow","Action":"ecr:GetAuthorizationToken","Resource":"\*"\}/,
  },
  {
    of: 'ecr:BatchGetImage is missing',
    arrange: deny({ action: 'BatchGetImage' }),
    code: 'ACCESS_DENIED',
    message: /not authorized to perform: ecr:BatchGetImage/,
    hint: /"Action":"ecr:BatchGetImage","Resource":"arn:aws:ecr:us-east-1:123456789012:repository\/library\/busybox"\}; all that a pull needs: sregistry policy pull --repository library\/busybox$/,
  },
  {
    of: 'ecr:GetDownloadUrlForLayer is missing',
    arrange: deny({ action: 'GetDownloadUrlForLayer' }),
    code: 'ACCESS_DENIED',
    message: /not authorized to perform: ecr:GetDownloadUrlForLayer/,
    hint: /"Action":"ecr:GetDownloadUrlForLayer"/,
  },
  {
    of: 'the owner of another account lets nobody in',
    arrange: deny({ action: 'BatchGetImage', reason: 'resource' }),
    code: 'ACCESS_DENIED',
    message: /no resource-based policy/,
    hint: /sregistry policy pull --cross-account/,
  },
  {
    of: 'a wrong region',
    arrange: () => ({ SREGISTRY_AWS_ZONE: 'eu-west-3' }),
    code: 'SETTING_INVALID',
    message: /is not in eu-west-3/,
    hint: /SREGISTRY_AWS_ZONE/,
  },
  {
    of: 'no region',
    arrange: () => ({ SREGISTRY_AWS_ZONE: '' }),
    code: 'SETTING_MISSING',
    message: /no AWS region/,
    hint: /SREGISTRY_AWS_ZONE/,
  },
  {
    of: 'a missing repository',
    run: pull('library/busybx:latest'),
    code: 'NAME_UNKNOWN',
    message: /no repository library\/busybx on .* \(region us-east-1, account 123456789012\)/,
    hint: /did you mean library\/busybox\?/,
  },
  {
    of: 'a missing repository that resembles none',
    run: pull('nobody/knows-this-one'),
    code: 'NAME_UNKNOWN',
    message: /no repository nobody\/knows-this-one/,
    hint: /another region or account\?.*sregistry create nobody\/knows-this-one.*\["ecr:BatchImportUpstreamImage","ecr:CreateRepository"\],"Resource":"arn:aws:ecr:us-east-1:123456789012:repository\/nobody\/knows-this-one"/,
  },
  {
    of: 'a missing tag',
    run: pull('science/nightly:build-1200'),
    code: 'MANIFEST_UNKNOWN',
    message: /build-1200 was not found/,
    hint: /did you mean .*science\/nightly:build-120\b/,
  },
  {
    of: 'a missing tag that resembles none',
    run: pull('library/busybox:zzzzzzzz'),
    code: 'MANIFEST_UNKNOWN',
    message: /zzzzzzzz was not found/,
    hint: /there is library\/busybox:latest; sregistry tags library\/busybox, or client\.tags/,
  },
  {
    of: 'an archived image',
    arrange: async () => {
      await world.archive('science/hello', '1.0')
      return {}
    },
    run: pull('science/hello:1.0'),
    code: 'MANIFEST_UNKNOWN',
    message: /^the image is archived and cannot be pulled: .*science\/hello:1\.0 was not found/,
    hint: /^restore it: aws ecr update-image-storage-class --repository-name science\/hello --image-id imageTag=1\.0 --target-storage-class STANDARD$/,
  },
  {
    of: 'throttled at the control plane',
    arrange: fault({ listener: 'api', fault: { kind: 'throttle', retryAfterSeconds: 0 } }),
    code: 'THROTTLED',
    message: /asks for fewer requests \(GetAuthorizationToken\)/,
    hint: /wait a minute/,
  },
  {
    of: 'throttled at the registry',
    arrange: fault({ listener: 'registry', fault: { kind: 'throttle', retryAfterSeconds: 0 } }),
    code: 'THROTTLED',
    message: /asks for fewer requests: Rate exceeded, after 5 tries/,
    hint: /^(?!.*logging in).*tried again by itself.*SREGISTRY_PYTHON_THREADS=1/,
  },
  {
    of: 'throttled where the layers are kept',
    arrange: fault({ listener: 'blobs', fault: { kind: 'throttle', retryAfterSeconds: 0 } }),
    code: 'THROTTLED',
    message:
      /^localhost:\d+, where 127\.0\.0\.1:\d+ keeps its layers, asks for fewer requests \(SlowDown\)/,
    hint: /^(?!.*logging in).*SREGISTRY_PYTHON_THREADS=1/,
  },
  {
    of: 'a login page in place of the control plane',
    arrange: fault({ listener: 'api', fault: { kind: 'html' } }),
    code: 'PROTOCOL_ERROR',
    message: /answered HTML|not ECR/,
    hint: /HTTPS_PROXY/,
  },
  {
    of: 'a login page in place of the registry',
    arrange: fault({ listener: 'registry', fault: { kind: 'html' } }),
    code: 'PROTOCOL_ERROR',
    message: /web page instead of a manifest/,
    hint: /HTTPS_PROXY/,
  },
  {
    of: 'a login page in place of the layers',
    arrange: fault({ listener: 'blobs', fault: { kind: 'html', status: 403 } }),
    code: 'PROTOCOL_ERROR',
    message: /^localhost:\d+ answered with a web page instead of a layer \(403\)/,
    hint: /HTTPS_PROXY/,
  },
  {
    of: 'a registry that does not take the token',
    arrange: fault({
      listener: 'registry',
      fault: { kind: 'challenge', wwwAuthenticate: 'Basic realm="elsewhere"' },
    }),
    code: 'CREDENTIALS_INVALID',
    message: /refused the credentials from ECR GetAuthorizationToken/,
    hint: /^(?!.*docker login)is 127\.0\.0\.1:\d+ a registry of http:.* \(environment AWS_ENDPOINT_URL_ECR\), which gave the token\?.*NO_PROXY/,
  },
  {
    of: 'the same, of a ping',
    arrange: fault({
      listener: 'registry',
      fault: { kind: 'challenge', wwwAuthenticate: 'Basic realm="elsewhere"' },
    }),
    run: (client) => client.ping(),
    code: 'CREDENTIALS_INVALID',
    message: /refused the credentials/,
    hint: /^(?!.*docker login).*which gave the token\?/,
  },
  {
    of: 'a connection that is cut',
    arrange: fault({ listener: 'registry', fault: { kind: 'reset', afterBytes: 0 } }),
    code: 'NETWORK',
    message: /the connection was reset/,
    hint: /^run it again; if it stays, a firewall or a proxy cuts the connection/,
  },
  {
    of: 'a proxy that is not there',
    arrange: async () => ({
      AWS_ENDPOINT_URL_ECR: 'https://api.test',
      HTTPS_PROXY: `http://127.0.0.1:${await closedPort()}`,
    }),
    code: 'NETWORK',
    message: /api\.test through the proxy 127\.0\.0\.1:\d+: the connection was refused/,
    hint: /is the proxy 127\.0\.0\.1:\d+ right and running\?.*HTTPS_PROXY.*add api\.test to NO_PROXY/,
  },
  {
    of: 'the control plane cannot be reached',
    arrange: async () => ({ AWS_ENDPOINT_URL_ECR: `http://127.0.0.1:${await closedPort()}` }),
    code: 'NETWORK',
    message: /127\.0\.0\.1:\d+.*refused|refused.*127\.0\.0\.1:\d+/,
    hint: /.+/,
  },
  {
    of: 'a host that is no ECR registry',
    run: pull('aws://registry.example.org/library/busybox'),
    code: 'USAGE',
    message: /registry\.example\.org is not an ECR registry/,
    hint: /docker:\/\/registry\.example\.org/,
  },
]

describe('each has its own code, message, hint and exit code', () => {
  test.each(rows.map((row) => [row.of, row] as const))('%s', async (_, row) => {
    const env = (await row.arrange?.()) ?? {}
    const error = await failure(row.run ?? pullBusybox, env)
    expect(error.message).toMatch(row.message)
    expect(error.hint).toMatch(row.hint)
    expect(error.code).toBe(row.code)
    expect(exitCodeOf(error)).toBe(row.code === 'USAGE' ? 2 : 1)
  })

  test('a clock that is an hour off is corrected by itself, and the doctor tells it', async () => {
    world.ecr.settings.clockOffsetSeconds = 3600
    expect(await world.use((client) => client.ping())).toMatchObject({ ok: true })
    const report = await world.use(async (client) => client.doctor())
    expect(report.rungs.find(({ key }) => key === 'clock')).toMatchObject({
      status: 'warning',
      hint: expect.stringContaining('timedatectl'),
    })
  })

  test('an expired token is renewed without a word', async () => {
    const image = await world.use(async (client) => {
      await client.ping()
      world.ecr.expireTokens()
      return client.digest('library/busybox')
    })
    expect(image).toMatch(/^sha256:/)
  })
})

describe('layers come from another host', () => {
  test('which is named with the list for the firewall when it cannot be reached', async () => {
    world.ecr.faults.add({ listener: 'blobs', fault: { kind: 'reset', afterBytes: 0 } })
    const stop = new AbortController()
    const error = await failure((client) =>
      client.config('library/busybox', { signal: stop.signal }),
    )
    expect(error.code).toBe('NETWORK')
    expect(error.message).toContain(`the layers are kept on ${new URL(world.ecr.blobUrl).host}`)
    expect(error.hint).toContain('prod-us-east-1-starport-layer-bucket.s3.us-east-1.amazonaws.com')
    // its message is in ours: nobody is told it twice
    expect(error.cause).toBeUndefined()
  })

  test('which is the one that closed the connection', async () => {
    world.ecr.faults.add({ listener: 'blobs', fault: { kind: 'truncate', afterBytes: 3 } })
    const error = await failure((client) => client.config('library/busybox'))
    expect(error.message).not.toContain(world.ecr.registryHost)
    expect(error.hint).toMatch(/^what is complete is kept; run it again/)
  })
})

describe('a proxy in the way', () => {
  let proxy: Server
  beforeAll(async () => {
    proxy = createServer((_, response) => response.writeHead(407).end('<html>log in</html>'))
    proxy.on('connect', (_, socket) =>
      socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n'),
    )
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  })
  afterAll(() => proxy.close())

  test('is named, without its password', async () => {
    const address = `127.0.0.1:${portOf(proxy)}`
    const error = await failure(
      pull('123456789012.dkr.ecr.us-east-1.amazonaws.com/library/busybox'),
      {
        AWS_ENDPOINT_URL_ECR: 'http://ecr.invalid',
        HTTPS_PROXY: `http://user:${planted.secret}@${address}`,
        HTTP_PROXY: `http://user:${planted.secret}@${address}`,
      },
    )
    expect(`${error.message} ${error.hint}`).toContain(address)
  })
})

function deny(denial: Parameters<AwsClientWorld['ecr']['policy']['deny']>[0]): () => undefined {
  return () => {
    world.ecr.policy.deny(denial)
    return undefined
  }
}

function fault(rule: Parameters<AwsClientWorld['ecr']['faults']['add']>[0]): () => undefined {
  return () => {
    world.ecr.faults.add(rule)
    return undefined
  }
}

/** Lets a session key in, and gives the variables that hold it. */
function session(more: { readonly expiresAtMs?: number }): Variables {
  world.ecr.addPrincipal({
    accessKeyId: 'ASIAPLANTEDPLANTED00',
    secretAccessKey: planted.secret,
    sessionToken: planted.session,
    arn: 'arn:aws:sts::123456789012:assumed-role/lab/me',
    ...more,
  })
  return {
    AWS_ACCESS_KEY_ID: 'ASIAPLANTEDPLANTED00',
    AWS_SECRET_ACCESS_KEY: planted.secret,
    AWS_SESSION_TOKEN: planted.session,
  }
}

/** A profile with single sign-on in the home directory, and what the last login left there. */
async function ssoProfile(name: string, expiresAt?: Date): Promise<Variables> {
  const folder = join(world.home, '.aws')
  const cache = join(folder, 'sso/cache')
  await mkdir(cache, { recursive: true })
  const lines = [
    `[profile ${name}]`,
    `sso_session = ${name}`,
    'sso_account_id = 123456789012',
    'sso_role_name = puller',
    `[sso-session ${name}]`,
    'sso_region = us-east-1',
    'sso_start_url = https://lab.awsapps.com/start',
  ]
  await writeFile(join(folder, 'config'), `${lines.join('\n')}\n`)
  if (expiresAt !== undefined) {
    const file = join(cache, `${createHash('sha1').update(name).digest('hex')}.json`)
    const left = { accessToken: planted.session, expiresAt: expiresAt.toISOString() }
    await writeFile(file, JSON.stringify(left))
  }
  return { ...noOwnKeys, AWS_PROFILE: name }
}

/** A port that nobody listens on: one that was free a moment ago. */
async function closedPort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const port = portOf(server)
  await new Promise((resolve) => server.close(resolve))
  return port
}
