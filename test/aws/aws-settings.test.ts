import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { AwsOptions } from '../../src/aws/aws-setting-finder.ts'
import { resolveAwsSettings } from '../../src/aws/aws-settings.ts'
import { parseIni } from '../../src/aws/shared-config.ts'
import { loadSettings } from '../../src/settings/settings.ts'

let home: string
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'aws-settings-'))
  await writeFile(
    join(home, '.sregistry'),
    JSON.stringify({ aws: { SREGISTRY_AWS_ID: '111111111111', SREGISTRY_AWS_ZONE: 'eu-west-1' } }),
    { mode: 0o600 },
  )
  await writeFile(
    join(home, 'config'),
    `[default]
region = ca-central-1
[profile far]
region = ap-southeast-2
services = local
use_fips_endpoint = true
[services local]
ecr =
  endpoint_url = http://127.0.0.1:4566
s3 =
  endpoint_url = http://127.0.0.1:1
`,
  )
})
afterAll(() => rm(home, { recursive: true, force: true }))

type Given = {
  readonly env?: Readonly<Record<string, string>>
  readonly options?: AwsOptions
  readonly referenceHost?: string
  /** An empty home: no `~/.sregistry`. */
  readonly fresh?: boolean
}

function resolved({ env = {}, options = {}, referenceHost, fresh = false }: Given) {
  const whole = { AWS_CONFIG_FILE: join(home, 'config'), ...env }
  const settings = loadSettings({ env: whole, home: fresh ? join(home, 'nowhere') : home })
  return resolveAwsSettings({
    settings,
    env: whole,
    options,
    ...(referenceHost === undefined ? {} : { referenceHost }),
  })
}

const reference = '222222222222.dkr.ecr.us-west-2.amazonaws.com'

describe('a value comes from the first that has it, and says which', () => {
  const cases: readonly (readonly [string, Given, string, string])[] = [
    [
      'the host in the reference before all',
      { referenceHost: reference, options: { region: 'us-east-2' } },
      'us-west-2',
      'the host in the reference',
    ],
    [
      'an option before the environment',
      { options: { region: 'us-east-2' }, env: { SREGISTRY_AWS_ZONE: 'us-west-1' } },
      'us-east-2',
      'option region',
    ],
    [
      'the environment before ~/.sregistry',
      { env: { SREGISTRY_AWS_ZONE: 'us-west-1', AWS_REGION: 'us-east-1' } },
      'us-west-1',
      'environment SREGISTRY_AWS_ZONE',
    ],
    [
      '~/.sregistry before AWS_REGION',
      { env: { AWS_REGION: 'us-east-1' } },
      'eu-west-1',
      '.sregistry',
    ],
    [
      'AWS_REGION before AWS_DEFAULT_REGION',
      { fresh: true, env: { AWS_REGION: 'us-east-1', AWS_DEFAULT_REGION: 'us-east-2' } },
      'us-east-1',
      'environment AWS_REGION',
    ],
    [
      'AWS_DEFAULT_REGION, which the SDK does not read',
      { fresh: true, env: { AWS_DEFAULT_REGION: 'us-east-2' } },
      'us-east-2',
      'environment AWS_DEFAULT_REGION',
    ],
    ['the default profile', { fresh: true }, 'ca-central-1', 'profile default in'],
    [
      'the profile of AWS_PROFILE',
      { fresh: true, env: { AWS_PROFILE: 'far' } },
      'ap-southeast-2',
      'profile far in',
    ],
    [
      'the host in SREGISTRY_AWS_BASE before AWS_REGION',
      { fresh: true, env: { SREGISTRY_AWS_BASE: reference, AWS_REGION: 'us-east-1' } },
      'us-west-2',
      'environment SREGISTRY_AWS_BASE',
    ],
  ]
  test.each(cases)('%s', (_, given, value, source) => {
    const { region } = resolved(given)
    expect(region?.value).toBe(value)
    expect(region?.source).toContain(source)
  })

  test('account and registry host follow', () => {
    expect(resolved({}).account?.value).toBe('111111111111')
    expect(resolved({}).registryHost?.value).toBe('111111111111.dkr.ecr.eu-west-1.amazonaws.com')
    expect(resolved({ referenceHost: reference }).account?.value).toBe('222222222222')
    expect(resolved({ referenceHost: 'localhost:5000' })).toMatchObject({
      registryHost: { value: 'localhost:5000' },
      account: { value: '111111111111' },
    })
  })
})

describe('another registry', () => {
  test.each([
    ['127.0.0.1:5000', undefined, '127.0.0.1:5000', false],
    ['http://127.0.0.1:5000/v2/', undefined, '127.0.0.1:5000', true],
    ['https://registry.example', 'yes', 'registry.example', false],
    ['registry.example', 'yes', 'registry.example', true],
    ['registry.example', 'no', 'registry.example', false],
  ])('SREGISTRY_AWS_BASE=%s, NOHTTPS=%s', (base, noHttps, host, plainHttp) => {
    const env = {
      SREGISTRY_AWS_BASE: base,
      ...(noHttps === undefined ? {} : { SREGISTRY_AWS_NOHTTPS: noHttps }),
    }
    const settings = resolved({ env })
    expect(settings.registryHost?.value).toBe(host)
    expect(settings.plainHttp.value).toBe(plainHttp)
  })

  test.each([
    [
      'environment AWS_ENDPOINT_URL_ECR',
      { AWS_ENDPOINT_URL_ECR: 'http://127.0.0.1:1', AWS_ENDPOINT_URL: 'http://127.0.0.1:2' },
      'http://127.0.0.1:1',
    ],
    [
      'environment AWS_ENDPOINT_URL',
      { AWS_ENDPOINT_URL: 'http://127.0.0.1:2' },
      'http://127.0.0.1:2',
    ],
    ['profile far in', { AWS_PROFILE: 'far' }, 'http://127.0.0.1:4566'],
    ['', { AWS_PROFILE: 'far', AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: 'true' }, undefined],
    ['', {}, undefined],
  ])('another control plane: %s', (source, env, value) => {
    const { endpoint } = resolved({ env })
    expect(endpoint?.value).toBe(value)
    expect(endpoint?.source ?? '').toContain(source)
  })

  test('FIPS and dual-stack come from the host or the configuration', () => {
    const host = '222222222222.dkr-ecr-fips.us-east-1.on.aws'
    expect(resolved({ referenceHost: host }).variant).toEqual({ fips: true, dualStack: true })
    expect(resolved({ env: { AWS_PROFILE: 'far' } }).variant.fips).toBe(true)
    expect(resolved({}).variant).toEqual({ fips: false, dualStack: false })
  })
})

describe('a value that makes no sense is refused, with its source', () => {
  const cases: readonly (readonly [string, Given, RegExp])[] = [
    [
      'an account with dashes',
      { env: { SREGISTRY_AWS_ID: '1234-5678-9012' } },
      /"1234-5678-9012" \(environment SREGISTRY_AWS_ID\)/,
    ],
    ['a region with a dot', { options: { region: 'us-east-1.evil' } }, /option region/],
    [
      'an address with a password',
      { env: { SREGISTRY_AWS_BASE: 'https://me:planted@host' } },
      /registry address/,
    ],
    ['an endpoint that is no URL', { env: { AWS_ENDPOINT_URL_ECR: 'host:80' } }, /ECR endpoint/],
    ['another protocol', { env: { SREGISTRY_AWS_VERSION: 'v1' } }, /"v1"/],
  ]
  test.each(cases)('%s', (_, given, message) => {
    let error: unknown
    try {
      resolved(given)
    } catch (thrown) {
      error = thrown
    }
    expect(error).toMatchObject({ code: 'SETTING_INVALID' })
    expect((error as Error).message).toMatch(message)
    expect(inspect(error)).not.toContain('planted')
  })

  test.each([
    ['SREGISTRY_AWS_KEY', 'SREGISTRY_AWS_SECRET'],
    ['SREGISTRY_AWS_SECRET', 'SREGISTRY_AWS_KEY'],
  ])('%s without %s', (given, missing) => {
    expect(() => resolved({ env: { [given]: 'planted' } })).toThrow(
      expect.objectContaining({
        code: 'SETTING_MISSING',
        message: expect.stringContaining(`${missing} is missing`),
      }) as Error,
    )
  })
})

test('inspecting the settings shows no secret', () => {
  const settings = resolved({
    env: { SREGISTRY_AWS_KEY: 'AKIA1', SREGISTRY_AWS_SECRET: 'planted' },
    options: { sessionToken: 'planted' },
  })
  const shown = inspect(settings, { depth: Number.POSITIVE_INFINITY, showHidden: true })
  expect(settings.keyPair?.value.secretAccessKey.reveal()).toBe('planted')
  expect(shown + JSON.stringify(settings)).not.toContain('planted')
})

test.each([
  ['comments and blanks', '# x\n\n[a]\nk = v ; note\nl=w#x\n', { k: 'v', l: 'w#x' }],
  ['spaces in a section', '[  a  ]\nk=v\n', { k: 'v' }],
  ['the same section twice', '[a]\nk=v\n[b]\n[a]\nl=w\n', { k: 'v', l: 'w' }],
  ['a value with an equals sign', '[a]\nk=v=w==\n', { k: 'v=w==' }],
  ['nested keys', '[a]\ns3 =\n  x = 1\nk = v\n', { s3: '', 's3.x': '1', k: 'v' }],
  ['CRLF', '[a]\r\nk = v\r\n', { k: 'v' }],
  ['a line outside a section', 'k = v\n[a]\nl = w\n', { l: 'w' }],
])('an ini file with %s', (_, text, section) => {
  expect(parseIni(text).get('a')).toEqual(section)
})
