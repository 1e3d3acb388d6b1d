import { chmod, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { AwsClient } from '../../src/client/aws-client.ts'
import type { DoctorEvent, DoctorReport } from '../../src/client/doctor-run.ts'
import { type AwsClientWorld, openAwsClientWorld } from './aws-world.ts'

let world: AwsClientWorld
beforeAll(async () => {
  world = await openAwsClientWorld()
})
beforeEach(async () => {
  world.reset()
  await rm(join(world.home, '.sregistry'), { force: true })
})
afterAll(() => world.close())

const keys = [
  'settings',
  'credentials',
  'clock',
  'token',
  'endpoint',
  'repositories',
  'image',
  'layers',
  'storage',
]

function rung(report: DoctorReport, key: string) {
  const found = report.rungs.find((one) => one.key === key)
  if (found === undefined) throw new Error(`no rung ${key}`)
  return found
}

async function examined(
  run: (client: AwsClient) => PromiseLike<DoctorReport>,
  env: Readonly<Record<string, string>> = {},
): Promise<DoctorReport> {
  const report = await world.use(async (client) => run(client), env)
  const shown = inspect(report, { depth: Number.POSITIVE_INFINITY }) + JSON.stringify(report)
  expect(shown).not.toContain(world.ecr.user.secretAccessKey)
  expect(shown).not.toContain(world.ecr.user.accessKeyId)
  return report
}

describe('all is well', () => {
  test('every rung stands, in order, with evidence from the real registry', async () => {
    const report = await examined((client) => client.doctor('library/busybox'))
    expect(report.healthy).toBe(true)
    expect(report.rungs.map(({ key }) => key)).toEqual(keys)
    expect(report.rungs.map(({ status }) => status)).toEqual(Array(9).fill('ok'))
    expect(rung(report, 'settings').source).toContain('region: environment SREGISTRY_AWS_ZONE')
    expect(rung(report, 'image').evidence).toMatch(/^sha256:[0-9a-f]{12}… 2 layers/)
    expect(rung(report, 'layers').evidence).toMatch(/^for linux\/amd64, the first byte came from /)
    expect(rung(report, 'storage').evidence).toContain(join(world.home, '.singularity/shub'))
  })

  test('of many platforms, the one that is meant', async () => {
    const report = await examined((client) => client.doctor('library/multi'))
    expect(rung(report, 'image').evidence).toMatch(/^sha256:[0-9a-f]{12}… linux\/amd64, \d+ layers/)
    expect(rung(report, 'layers').evidence).toMatch(/^for linux\/amd64, the first byte came from /)
  })

  test('the first byte comes from the storage host, not from the registry', async () => {
    const report = await examined((client) => client.doctor('library/busybox'))
    expect(rung(report, 'layers').evidence).toContain(new URL(world.ecr.blobUrl).host)
  })

  test('rungs come one by one, iterated or as progress', async () => {
    const iterated: string[] = []
    const told: string[] = []
    await world.use(async (client) => {
      for await (const { key } of client.doctor()) iterated.push(key)
      const onProgress = (event: DoctorEvent) => {
        if (event.type === 'rung') told.push(event.rung.key)
      }
      await client.doctor(undefined, { onProgress })
    })
    expect(iterated).toEqual(keys)
    expect(told).toEqual(keys)
  })

  test('the probes leave nothing behind in storage and cache', async () => {
    await examined((client) => client.doctor('library/busybox'))
    expect(await readdir(join(world.home, '.singularity/shub'))).toEqual([])
    expect(await readdir(join(world.home, '.singularity/docker'))).toEqual([])
    expect(await world.use((client) => client.images())).toEqual([])
  })
})

describe('what is wrong is told where it is', () => {
  test('no region: the first rung, and nothing above it is tried', async () => {
    const report = await examined((client) => client.doctor(), { SREGISTRY_AWS_ZONE: '' })
    expect(report.healthy).toBe(false)
    expect(rung(report, 'settings')).toMatchObject({
      status: 'failed',
      code: 'SETTING_MISSING',
      hint: expect.stringContaining('SREGISTRY_AWS_ZONE'),
    })
    expect(rung(report, 'token').status).toBe('skipped')
    expect(rung(report, 'storage').status).toBe('ok')
  })

  test('a tag that is not there: names that are near', async () => {
    const report = await examined((client) => client.doctor('library/busybox:latets'))
    expect(rung(report, 'image')).toMatchObject({
      status: 'failed',
      hint: 'did you mean library/busybox:latest?',
    })
    expect(rung(report, 'layers').status).toBe('skipped')
  })

  test('the storage of layers out of reach: the hosts for the firewall', async () => {
    world.ecr.faults.add({ listener: 'blobs', fault: { kind: 'reset', afterBytes: 0 } })
    const report = await examined((client) => client.doctor('library/busybox'))
    const failed = report.rungs.filter(({ status }) => status === 'failed')
    expect(failed.map(({ key }) => key)).toEqual(['layers']) // though the config is kept there, too
    const [layers] = failed
    expect(layers?.evidence).toContain(`the layers are kept on ${new URL(world.ecr.blobUrl).host}`)
    expect(layers?.hint).toContain('prod-us-east-1-starport-layer-bucket')
  })

  test('a storage directory below a file', async () => {
    const file = join(world.home, 'a-file')
    await writeFile(file, '')
    const report = await examined((client) => client.doctor(), {
      SREGISTRY_STORAGE: join(file, 'shub'),
    })
    expect(rung(report, 'storage')).toMatchObject({
      status: 'failed',
      evidence: expect.stringContaining(file),
      hint: expect.stringContaining('SREGISTRY_STORAGE'),
    })
  })

  test('a catalogue that cannot be written', async () => {
    const folder = join(world.home, 'catalogue')
    await mkdir(folder, { recursive: true })
    await writeFile(join(folder, 'sregistry.db'), 'this is no database, it is a text')
    await chmod(join(folder, 'sregistry.db'), 0o600)
    const report = await examined((client) => client.doctor(), { SREGISTRY_DATABASE: folder })
    expect(rung(report, 'storage')).toMatchObject({ status: 'failed', code: 'DATABASE' })
  })

  test('Ctrl-C ends it', async () => {
    world.ecr.faults.add({ listener: 'registry', fault: { kind: 'stall', afterBytes: 0 } })
    const stop = new AbortController()
    const error = await world.failure(async (client) =>
      client.doctor(undefined, {
        signal: stop.signal,
        onProgress: (event) => {
          if (event.type === 'rung' && event.rung.key === 'token') setImmediate(() => stop.abort())
        },
      }),
    )
    expect(error.code).toBe('CANCELLED')
  })
})

describe('--fix and --create', () => {
  const settingsFile = () => join(world.home, '.sregistry')

  test('keep what was told, 0600, and no secret', async () => {
    const report = await examined((client) =>
      client.use({ region: 'us-east-1', account: '123456789012' }).doctor(undefined, { fix: true }),
    )
    expect(report.fixed).toEqual(['kept SREGISTRY_AWS_ID, SREGISTRY_AWS_ZONE in the settings file'])
    expect(JSON.parse(await readFile(settingsFile(), 'utf8'))).toEqual({
      aws: { SREGISTRY_AWS_ID: '123456789012', SREGISTRY_AWS_ZONE: 'us-east-1' },
    })
    expect((await stat(settingsFile())).mode & 0o777).toBe(0o600)
  })

  test('nothing is written unless it was told and asked for', async () => {
    await examined((client) => client.use({ region: 'us-east-1' }).doctor())
    await examined((client) => client.doctor(undefined, { fix: true }))
    await expect(stat(settingsFile())).rejects.toMatchObject({ code: 'ENOENT' })
  })

  test('a host in the reference tells account and region', async () => {
    const host = '123456789012.dkr.ecr.us-east-1.amazonaws.com'
    const settings = { ...nowhere, SREGISTRY_AWS_ID: '', SREGISTRY_AWS_ZONE: '' }
    const report = await examined(
      (client) => client.doctor(`${host}/lab/x`, { fix: true }),
      settings,
    )
    expect(report.fixed).toEqual(['kept SREGISTRY_AWS_ID, SREGISTRY_AWS_ZONE in the settings file'])
    expect(JSON.parse(await readFile(settingsFile(), 'utf8'))).toMatchObject({
      aws: { SREGISTRY_AWS_ID: '123456789012', SREGISTRY_AWS_ZONE: 'us-east-1' },
    })
  })

  test.each([
    ['an account is set', { SREGISTRY_AWS_ID: '210987654321', SREGISTRY_AWS_ZONE: '' }],
    ['another region is set', { SREGISTRY_AWS_ID: '', SREGISTRY_AWS_ZONE: 'eu-west-3' }],
    [
      'AWS does not take them',
      { SREGISTRY_AWS_ID: '', SREGISTRY_AWS_ZONE: '', SREGISTRY_AWS_SECRET: 'wrong' },
    ],
  ])('a host in the reference tells nothing where %s', async (_, settings) => {
    await rm(settingsFile(), { force: true })
    const host = '123456789012.dkr.ecr.us-east-1.amazonaws.com'
    const report = await examined((client) => client.doctor(`${host}/lab/x`, { fix: true }), {
      ...nowhere,
      ...settings,
    })
    expect(report.fixed).toEqual([])
    await expect(stat(settingsFile())).rejects.toMatchObject({ code: 'ENOENT' })
  })

  test('a missing repository is made when asked, and looked at again', async () => {
    const ask = (create: boolean) =>
      examined((client) => client.doctor('lab/fresh:1', { create, fix: true }))
    const before = await ask(false)
    expect(rung(before, 'repositories')).toMatchObject({
      status: 'failed',
      hint: expect.stringContaining('sregistry doctor --create lab/fresh'),
    })
    const after = await ask(true)
    expect(after.fixed).toEqual([expect.stringMatching(/^created the repository .*lab\/fresh$/)])
    expect(rung(after, 'repositories').status).toBe('ok')
    expect(rung(after, 'image')).toMatchObject({ status: 'failed', code: 'MANIFEST_UNKNOWN' })
  })
})

/** Hosts of AWS are not reached from tests: their names lead to this machine, where nobody listens. */
const nowhere = { HTTPS_PROXY: 'http://127.0.0.1:9', HTTP_PROXY: '' }
