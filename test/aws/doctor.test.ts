/** The ladder, rung by rung, against the local ECR in one fault after the other. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { connectAws } from '../../src/aws/aws-connection.ts'
import { resolveAwsSettings } from '../../src/aws/aws-settings.ts'
import { isHealthy, runDoctor } from '../../src/aws/doctor.ts'
import type { DoctorOptions, DoctorProbes, RungResult } from '../../src/aws/doctor-case.ts'
import { fixFindings } from '../../src/aws/doctor-fix.ts'
import { createRepository } from '../../src/aws/repositories.ts'
import { cancelled } from '../../src/errors/cancelled.ts'
import { SregistryError } from '../../src/errors/sregistry-error.ts'
import { type LocalEcr, startLocalEcr } from '../../src/local-ecr/local-ecr.ts'
import { createTransport, type Transport } from '../../src/registry/transport.ts'
import { loadSettings } from '../../src/settings/settings.ts'
import { withEnvironment } from './process-environment.ts'

let ecr: LocalEcr
let root: string
let transport: Transport
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'aws-doctor-'))
  ecr = await startLocalEcr({ root })
  transport = createTransport({ env: {} })
})
afterAll(async () => {
  await transport.close()
  await ecr.close()
  await rm(root, { recursive: true, force: true })
})
beforeEach(() => {
  ecr.faults.clear()
  ecr.policy.clear()
  ecr.settings.clockOffsetSeconds = 0
})

const image = {
  digest: `sha256:${'a'.repeat(64)}`,
  platform: 'linux/amd64',
  sizeBytes: 2_200_000,
  layers: 1,
}
const healthy: DoctorProbes = {
  ping: async () => undefined,
  image: async () => image,
  firstLayerByte: async () => ({ host: 'localhost:1', platform: 'linux/amd64' }),
  storage: async () => '/images is writable, 12 GB free',
}

type Given = {
  readonly env?: Readonly<Record<string, string>>
  readonly probes?: Partial<DoctorProbes>
  readonly options?: Partial<DoctorOptions>
}

async function examined({ env = {}, probes = {}, options = {} }: Given) {
  const whole = { HOME: root, AWS_EC2_METADATA_DISABLED: 'true', ...ecr.environment, ...env }
  return withEnvironment(whole, async () => {
    const open = () => {
      const own = loadSettings({ env: whole, home: root })
      const settings = resolveAwsSettings({ settings: own, env: whole })
      return {
        settings,
        connection: connectAws({ settings, transport, env: whole, home: root }),
      }
    }
    const results: RungResult[] = []
    const run = runDoctor({ open, env: whole, probes: { ...healthy, ...probes }, ...options })
    for await (const result of run) results.push(result)
    expect(results.map(({ rung }) => rung)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9])
    const shown = inspect(results, { depth: Number.POSITIVE_INFINITY }) + JSON.stringify(results)
    expect(shown).not.toContain(ecr.user.secretAccessKey)
    return { results, of: (key: string) => results.find((one) => one.key === key) }
  })
}

test('all is well: nine rungs, each with evidence', async () => {
  await withEnvironment({}, async () => undefined)
  const { results, of } = await examined({})
  expect(isHealthy(results)).toBe(true)
  expect(of('settings')).toMatchObject({
    status: 'ok',
    evidence: expect.stringContaining(`region us-east-1, account ${ecr.accountId}`),
    source: expect.stringContaining('region: environment SREGISTRY_AWS_ZONE'),
  })
  expect(of('credentials')).toMatchObject({
    status: 'ok',
    source: 'environment SREGISTRY_AWS_KEY',
    evidence: expect.stringMatching(/^key AKIA….{4}$/),
  })
  expect(of('clock')).toMatchObject({ status: 'ok' })
  expect(of('token')?.evidence).toContain(`for http://${ecr.registryHost}, until 20`)
  expect(of('endpoint')?.evidence).toContain(`${ecr.registryHost}/v2/ answered 200`)
  expect(of('layers')?.evidence).toContain('localhost:1')
  expect(of('storage')?.evidence).toContain('12 GB')
})

describe('the first failure ends what depends on it', () => {
  const statuses = (results: readonly RungResult[]) =>
    results.map(({ status }) => ({ ok: '+', warning: '!', failed: 'x', skipped: '-' })[status])

  const cases: readonly (readonly [string, Given, string, RegExp])[] = [
    ['no region', { env: { SREGISTRY_AWS_ZONE: '' } }, 'x-------+', /SREGISTRY_AWS_ZONE/],
    ['a malformed account', { env: { SREGISTRY_AWS_ID: '12' } }, 'x-------+', /twelve digits/],
    [
      'no credentials',
      { env: { SREGISTRY_AWS_KEY: '', SREGISTRY_AWS_SECRET: '' } },
      '+x------+',
      /aws configure/,
    ],
    [
      'a wrong secret',
      { env: { SREGISTRY_AWS_SECRET: 'wrong' } },
      '+++x----+',
      /export SREGISTRY_AWS_KEY=/,
    ],
    [
      'a dead control plane',
      { env: { AWS_ENDPOINT_URL_ECR: 'http://127.0.0.1:2' } },
      '++-x----+',
      /./,
    ],
  ]
  test.each(cases)('%s', async (_, given, pattern, mend) => {
    const { results } = await examined(given)
    expect(statuses(results).join('').replaceAll('!', '+')).toBe(pattern)
    expect(isHealthy(results)).toBe(false)
    expect(results.find(({ status }) => status === 'failed')?.mend).toMatch(mend)
  })

  test('an endpoint that does not answer leaves the control plane to be looked at', async () => {
    const ping = async () => {
      throw new SregistryError('TLS', 'its certificate is not trusted', { hint: 'AWS_CA_BUNDLE' })
    }
    const { results, of } = await examined({ probes: { ping } })
    expect(of('endpoint')).toMatchObject({ status: 'failed', code: 'TLS', mend: 'AWS_CA_BUNDLE' })
    expect(of('repositories')?.status).not.toBe('skipped')
    expect(of('image')?.status).toBe('skipped')
    expect(isHealthy(results)).toBe(false)
  })

  test('a blocked layer host is the only failure', async () => {
    const firstLayerByte = async () => {
      throw new SregistryError('TIMEOUT', 'prod-us-east-1-starport-layer-bucket: no connection')
    }
    const { results } = await examined({ probes: { firstLayerByte } })
    expect(results.filter(({ status }) => status === 'failed').map(({ key }) => key)).toEqual([
      'layers',
    ])
  })

  test('a bug in a check is told as one, and the others go on', async () => {
    const storage = async () => {
      throw new TypeError('planted')
    }
    const { of } = await examined({ probes: { storage } })
    expect(of('storage')).toMatchObject({ status: 'failed', code: 'INTERNAL' })
  })
})

describe('what is no failure', () => {
  test('a clock that is an hour off is a warning: the SDK corrects it', async () => {
    ecr.settings.clockOffsetSeconds = 3600
    const { of } = await examined({})
    expect(of('clock')).toMatchObject({
      status: 'warning',
      evidence: expect.stringMatching(/^(59|60) min \d+ s behind AWS's: more than AWS accepts/),
    })
    expect(of('token')?.status).toBe('ok')
  })

  test('no right to browse: pulling goes on', async () => {
    ecr.policy.deny({ action: 'DescribeRepositories' })
    const { results, of } = await examined({})
    expect(of('repositories')).toMatchObject({ status: 'warning', code: 'ACCESS_DENIED' })
    expect(of('image')?.status).toBe('ok')
    expect(of('image')?.evidence).toMatch(/, 2\.1 MiB$/)
    expect(isHealthy(results)).toBe(true)
  })

  test('no image asked for: rungs 7 and 8 say how to', async () => {
    const { storage, ping } = healthy
    const { results, of } = await examined({ options: { probes: { ping, storage } } })
    expect(of('image')).toMatchObject({ status: 'skipped' })
    expect(of('layers')?.evidence).toContain('with a NAME:TAG')
    expect(isHealthy(results)).toBe(true)
  })

  test('a profile and keys of the environment at once are pointed at', async () => {
    const { user } = ecr
    const { of } = await examined({
      env: {
        SREGISTRY_AWS_KEY: '',
        SREGISTRY_AWS_SECRET: '',
        AWS_PROFILE: 'default',
        AWS_ACCESS_KEY_ID: user.accessKeyId,
        AWS_SECRET_ACCESS_KEY: user.secretAccessKey,
        AWS_SHARED_CREDENTIALS_FILE: await credentialsFile(),
      },
    })
    expect(of('credentials')).toMatchObject({
      status: 'warning',
      source: 'profile default (static keys)',
      mend: expect.stringContaining('AWS_PROFILE'),
    })
  })
})

async function credentialsFile(): Promise<string> {
  const { writeFile } = await import('node:fs/promises')
  const path = join(root, 'credentials')
  const { accessKeyId, secretAccessKey } = ecr.user
  await writeFile(
    path,
    `[default]\naws_access_key_id=${accessKeyId}\naws_secret_access_key=${secretAccessKey}\n`,
  )
  return path
}

describe('what is missing', () => {
  beforeAll(async () => {
    await examined({}) // the emulator is up
    const env = { ...ecr.environment, HOME: root }
    const own = loadSettings({ env, home: root })
    const settings = resolveAwsSettings({ settings: own, env })
    const connection = connectAws({ settings, transport, env, home: root })
    await createRepository(connection.controlPlane, 'library/busybox')
    connection.close()
  })

  test('a repository: near names are offered', async () => {
    const { of } = await examined({ options: { repository: 'library/busibox' } })
    expect(of('repositories')).toMatchObject({
      status: 'failed',
      code: 'NAME_UNKNOWN',
      mend: 'did you mean library/busybox?',
    })
  })

  test('a repository, where the list is forbidden: it is missing all the same', async () => {
    ecr.policy.deny({ action: 'DescribeRepositories', repository: '*' })
    const { of } = await examined({ options: { repository: 'library/busibox' } })
    ecr.policy.clear()
    expect(of('repositories')).toMatchObject({
      status: 'failed',
      code: 'NAME_UNKNOWN',
      mend: expect.stringContaining('sregistry doctor --create library/busibox'),
    })
  })

  test('a repository far from all: how to create it; --fix does', async () => {
    const repository = 'my/quite-other-project'
    const { results, of } = await examined({ options: { repository } })
    expect(of('repositories')?.mend).toContain(`createRepository('${repository}')`)
    const env = { ...ecr.environment, HOME: root }
    const settings = resolveAwsSettings({ settings: loadSettings({ env, home: root }), env })
    const connection = connectAws({ settings, transport, env, home: root })
    const saved: unknown[] = []
    const saveSettings = async (values: unknown) => void saved.push(values)
    const fix = { results, connection, saveSettings }
    expect(await fixFindings(fix)).toEqual([])
    const done = await fixFindings({
      ...fix,
      createRepository: repository,
      settings: { SREGISTRY_AWS_ZONE: 'us-east-1' },
    })
    connection.close()
    expect(done).toEqual([
      'kept SREGISTRY_AWS_ZONE in the settings file',
      `created the repository ${ecr.registryHost}/${repository}`,
    ])
    expect(saved).toEqual([{ SREGISTRY_AWS_ZONE: 'us-east-1' }])
    const again = await examined({ options: { repository } })
    expect(again.of('repositories')?.status).toBe('ok')
  })
})

test('a cancelled doctor ends with CANCELLED', async () => {
  const stop = new AbortController()
  ecr.faults.add({ listener: 'api', fault: { kind: 'stall', afterBytes: 0 } })
  setTimeout(() => stop.abort(), 100)
  await expect(examined({ options: { signal: stop.signal } })).rejects.toMatchObject({
    code: 'CANCELLED',
  })
})

describe('a host that never answers', () => {
  const silent = (signal?: AbortSignal) =>
    new Promise<never>((_, reject) => {
      signal?.addEventListener('abort', () => reject(cancelled('the probe')))
    })

  test.each(['endpoint', 'image', 'layers'] as const)(
    'ends the rung %s with the hosts to allow',
    async (key) => {
      const probe = { endpoint: 'ping', image: 'image', layers: 'firstLayerByte' }[key]
      const { of } = await examined({ probes: { [probe]: silent }, options: { patienceMs: 20 } })
      expect(of(key)).toMatchObject({
        status: 'failed',
        code: 'TIMEOUT',
        evidence: 'no answer within 1 s',
        mend: expect.stringContaining('prod-us-east-1-starport-layer-bucket.s3'),
      })
      expect(of('storage')).toMatchObject({ status: 'ok' })
    },
  )

  test('is left at once when the user cancels', async () => {
    const stop = new AbortController()
    const probes = {
      image: (signal?: AbortSignal) => {
        queueMicrotask(() => stop.abort())
        return silent(signal)
      },
    }
    const work = examined({ probes, options: { signal: stop.signal } })
    await expect(work).rejects.toMatchObject({ code: 'CANCELLED' })
  })
})
