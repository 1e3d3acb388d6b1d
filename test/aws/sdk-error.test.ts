/** A row of REGISTRY § 1.2 each: our code, a message that names the thing, a hint that can be done. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createRepository, describeImage, listRepositories } from '../../src/aws/repositories.ts'
import { sdkErrorRules } from '../../src/aws/sdk-error-rules.ts'
import type { SregistryError } from '../../src/errors/sregistry-error.ts'
import { type LocalEcr, startLocalEcr } from '../../src/local-ecr/local-ecr.ts'
import { withoutRetryDelays } from '../fakes/quick-retries.ts'
import { type AwsWorld, openAwsWorld } from './aws-world.ts'
import {
  errorAnswer,
  type FakeControlPlane,
  type ScriptedAnswer,
  startFakeControlPlane,
} from './fake-control-plane.ts'

let restoreDelays: () => void
beforeAll(() => {
  restoreDelays = withoutRetryDelays()
})
afterAll(() => restoreDelays())

const planted = { key: 'AKIAPLANTEDPLANTED00', secret: 'planted-secret-4711' }
let fake: FakeControlPlane
let world: AwsWorld

beforeAll(async () => {
  fake = await startFakeControlPlane()
  world = openAwsWorld({
    AWS_ENDPOINT_URL_ECR: fake.url,
    SREGISTRY_AWS_ID: '123456789012',
    SREGISTRY_AWS_ZONE: 'eu-central-1',
    SREGISTRY_AWS_KEY: planted.key,
    SREGISTRY_AWS_SECRET: planted.secret,
  })
})
afterAll(async () => {
  await world.close()
  await fake.close()
})

async function failureOf(work: Promise<unknown>): Promise<SregistryError> {
  const error = await work.then(
    () => new Error('it did not fail'),
    (thrown: unknown) => thrown,
  )
  const shown = inspect(error, { depth: Number.POSITIVE_INFINITY, showHidden: true })
  for (const secret of ['planted-secret', 'planted-token']) expect(shown).not.toContain(secret)
  return error as SregistryError
}

function describeOne(): Promise<unknown> {
  return describeImage(world.connection.controlPlane, 'library/busybox', { tag: 'latest' })
}

type Row = readonly [name: string, said: string, code: string, message: RegExp, hint: RegExp]

const rows: readonly Row[] = [
  [
    'ExpiredTokenException',
    'The security token included in the request is expired',
    'CREDENTIALS_EXPIRED',
    /session from environment SREGISTRY_AWS_KEY has expired/,
    /aws sso login/,
  ],
  [
    'UnrecognizedClientException',
    'The security token included in the request is invalid.',
    'CREDENTIALS_INVALID',
    /does not know the access key/,
    /another partition/,
  ],
  ['InvalidClientTokenId', 'x', 'CREDENTIALS_INVALID', /does not know the access key/, /typo/],
  [
    'InvalidSignatureException',
    'The request signature we calculated does not match. The Canonical String for this request should have been\nPOST\nx-amz-security-token:planted-token',
    'CREDENTIALS_INVALID',
    /secret key .* does not belong/,
    /export SREGISTRY_AWS_KEY=…/,
  ],
  ['SignatureDoesNotMatch', 'x', 'CREDENTIALS_INVALID', /secret key/, /export SREGISTRY_AWS_KEY=…/],
  [
    'InvalidSignatureException',
    'Signature expired: 20260101T000000Z is now earlier than 20260101T010000Z',
    'CLOCK_SKEW',
    /Signature expired/,
    /timedatectl/,
  ],
  ['IncompleteSignatureException', 'x', 'CREDENTIALS_INVALID', /without its signature/, /NO_PROXY/],
  [
    'MissingAuthenticationTokenException',
    'Missing Authentication Token',
    'CREDENTIALS_INVALID',
    /without its signature/,
    /Authorization header/,
  ],
  [
    'AccessDeniedException',
    'User: arn:aws:iam::1:user/me is not authorized to perform: ecr:DescribeImages on resource: arn:aws:ecr:eu-central-1:123456789012:repository/library/busybox because no identity-based policy allows the ecr:DescribeImages action',
    'ACCESS_DENIED',
    /arn:aws:iam::1:user\/me/,
    /"Action":"ecr:DescribeImages","Resource":"arn:aws:ecr:eu-central-1:123456789012:repository\/library\/busybox"/,
  ],
  [
    'AccessDeniedException',
    'User: u is not authorized to perform: ecr:GetAuthorizationToken on resource: * because no identity-based policy allows it',
    'ACCESS_DENIED',
    /GetAuthorizationToken/,
    /"Resource":"\*"/,
  ],
  [
    'AccessDeniedException',
    'User: u is not authorized to perform: ecr:BatchGetImage on resource: r with an explicit deny in a service control policy',
    'ACCESS_DENIED',
    /explicit deny/,
    /administrator/,
  ],
  [
    'AccessDeniedException',
    'User: u is not authorized to perform: ecr:BatchGetImage on resource: r because no resource-based policy allows the ecr:BatchGetImage action',
    'ACCESS_DENIED',
    /BatchGetImage/,
    /owner of the registry/,
  ],
  [
    'RepositoryNotFoundException',
    "The repository with name 'library/busybox' does not exist in the registry with id '123456789012'",
    'NAME_UNKNOWN',
    /library\/busybox in the registry of account 123456789012 in eu-central-1/,
    /createRepository/,
  ],
  [
    'ImageNotFoundException',
    'x',
    'MANIFEST_UNKNOWN',
    /library\/busybox:latest/,
    /client\.tags\('library\/busybox'\)/,
  ],
  ['TooManyRequestsException', 'Rate exceeded', 'THROTTLED', /fewer requests/, /quota/],
  [
    'LimitExceededException',
    "The 'repositories' quota",
    'LIMIT_EXCEEDED',
    /quota/,
    /Service Quotas/,
  ],
  [
    'LayerInaccessibleException',
    'archived',
    'BLOB_UNKNOWN',
    /archived/,
    /--repository-name library\/busybox --image-id imageTag=latest --target-storage-class STANDARD; a layer without an image must be pushed again/,
  ],
  ['UnableToGetUpstreamImageException', 'secret', 'REGISTRY_ERROR', /pull-through cache/, /owner/],
  ['UnableToGetUpstreamLayerException', 'secret', 'REGISTRY_ERROR', /pull-through cache/, /owner/],
  ['InvalidParameterException', "Invalid parameter at 'maxResults'", 'USAGE', /maxResults/, /mend/],
  ['ValidationException', 'x', 'USAGE', /does not accept/, /mend/],
  ['KmsException', 'disabled', 'ACCESS_DENIED', /encryption key/, /kms:Decrypt/],
  ['OptInRequired', 'x', 'ACCESS_DENIED', /eu-central-1/, /enable it/],
  [
    'com.amazonaws.ecr#RepositoryNotFoundException',
    'x',
    'NAME_UNKNOWN',
    /library\/busybox/,
    /client\.repositories/,
  ],
  [
    'UnknownOperationException',
    '',
    'UNSUPPORTED',
    /does not know DescribeImages/,
    /AWS_ENDPOINT_URL_ECR/,
  ],
  ['SomethingNewException', 'odd', 'REGISTRY_ERROR', /SomethingNewException: odd/, /request id/],
]

describe('an error of the control plane', () => {
  test.each(rows)('%s: %s', async (name, said, code, message, hint) => {
    fake.answer = { ...errorAnswer(name, said), headers: { 'x-amzn-requestid': 'r-1' } }
    const error = await failureOf(describeOne())
    expect(error.code).toBe(code)
    expect(error.message).toMatch(message)
    expect(error.hint).toMatch(hint)
  })

  test('each rule gives a message and a hint, also when nothing is known of the call', () => {
    for (const [name, rule] of Object.entries(sdkErrorRules)) {
      const context = { operation: 'DescribeImages', region: 'us-east-1' }
      const { text, hint } = rule({ name, message: 'said', context })
      expect(`${text} ${hint}`, name).not.toContain('undefined')
      expect(text.length, name).toBeGreaterThan(3)
      expect(hint.length, name).toBeGreaterThan(8)
    }
  })

  test('a session key without its token says so', () => {
    const context = {
      operation: 'x',
      region: 'us-east-1',
      keyId: 'ASIAEXAMPLE',
      hasSessionToken: false,
    }
    const rule = sdkErrorRules['UnrecognizedClientException']
    expect(rule?.({ name: '', message: '', context }).hint).toMatch(/AWS_SESSION_TOKEN/)
  })
})

describe('what is no answer of ECR', () => {
  const cases: readonly (readonly [string, ScriptedAnswer, string, RegExp])[] = [
    ['a login page', { type: 'text/html', body: '<html>' }, 'PROTOCOL_ERROR', /answered HTML/],
    [
      'HTML without its type',
      { type: 'text/plain', body: '<html>planted-token' },
      'PROTOCOL_ERROR',
      /no JSON/,
    ],
    [
      'HTML with 403',
      { type: 'text/html', status: 403, body: '<html>' },
      'PROTOCOL_ERROR',
      /answered HTML \(status 403\)/,
    ],
  ]
  test.each(cases)('%s', async (_, answer, code, message) => {
    fake.answer = answer
    const error = await failureOf(describeOne())
    expect(error.code).toBe(code)
    expect(error.message).toMatch(message)
    expect(error.hint).toMatch(/HTTPS_PROXY/)
  })

  test('a name that does not resolve asks for the region', async () => {
    const other = openAwsWorld({
      AWS_ENDPOINT_URL_ECR: 'http://api.ecr.us-est-1.invalid',
      SREGISTRY_AWS_ZONE: 'us-est-1',
      SREGISTRY_AWS_KEY: planted.key,
      SREGISTRY_AWS_SECRET: planted.secret,
    })
    try {
      const error = await failureOf(other.connection.tokens.get())
      expect(error.code).toBe('NETWORK')
      expect(error.message).toContain('api.ecr.us-est-1.invalid')
      expect(error.hint).toMatch(/region/)
    } finally {
      await other.close()
    }
  })

  test('a token that is none', async () => {
    fake.answer = { body: '{"authorizationData":[]}' }
    expect((await failureOf(world.connection.tokens.get())).code).toBe('PROTOCOL_ERROR')
  })
})

describe('the same from the local ECR, with true signatures', () => {
  let ecr: LocalEcr
  let root: string
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'aws-errors-'))
    ecr = await startLocalEcr({ root })
  })
  afterAll(async () => {
    await ecr.close()
    await rm(root, { recursive: true, force: true })
  })
  beforeEach(() => {
    ecr.faults.clear()
    ecr.policy.clear()
    ecr.settings.clockOffsetSeconds = 0
  })

  async function failure(env: Readonly<Record<string, string>> = {}): Promise<SregistryError> {
    const local = openAwsWorld({ ...ecr.environment, ...env })
    try {
      return await failureOf(local.connection.tokens.get())
    } finally {
      await local.close()
    }
  }

  test('a wrong secret', async () => {
    const error = await failure({ SREGISTRY_AWS_SECRET: planted.secret })
    expect(error).toMatchObject({ code: 'CREDENTIALS_INVALID' })
    expect(error.message).toMatch(/secret key from environment SREGISTRY_AWS_KEY/)
  })
  test('an unknown key', async () => {
    const error = await failure({ SREGISTRY_AWS_KEY: planted.key })
    expect(error.message).toMatch(/does not know the access key/)
  })
  test('a wrong region', async () => {
    const error = await failure({ SREGISTRY_AWS_ZONE: 'eu-west-3' })
    expect(error.code).toBe('SETTING_INVALID')
    expect(error.message).toMatch(/is not in eu-west-3/)
  })
  test('a session that is over', async () => {
    ecr.addPrincipal({
      accessKeyId: 'ASIAOVER',
      secretAccessKey: 's',
      sessionToken: 'planted-token',
      expiresAtMs: Date.now() - 1000,
      arn: 'arn:aws:sts::123456789012:assumed-role/over/s',
    })
    const settings = { SREGISTRY_AWS_KEY: '', SREGISTRY_AWS_SECRET: '' }
    const local = openAwsWorld(
      { ...ecr.environment, ...settings },
      { accessKeyId: 'ASIAOVER', secretAccessKey: 's', sessionToken: 'planted-token' },
    )
    const error = await failureOf(local.connection.tokens.get())
    await local.close()
    expect(error.code).toBe('CREDENTIALS_EXPIRED')
  })
  test('an explicit deny', async () => {
    ecr.policy.deny({ action: 'GetAuthorizationToken', reason: 'explicit' })
    const error = await failure()
    expect(error).toMatchObject({ code: 'ACCESS_DENIED' })
    expect(error.hint).toMatch(/administrator/)
  })
  test('ecr:GetAuthorizationToken is missing: the hint is the statement', async () => {
    ecr.policy.deny({ action: 'GetAuthorizationToken' })
    expect((await failure()).hint).toContain(
      '{"Effect":"Allow","Action":"ecr:GetAuthorizationToken","Resource":"*"}',
    )
  })
  test('throttled without end', async () => {
    ecr.faults.add({ listener: 'api', fault: { kind: 'throttle', retryAfterSeconds: 0 } })
    expect((await failure()).code).toBe('THROTTLED')
  })
  test('failing without end', async () => {
    ecr.faults.add({ listener: 'api', fault: { kind: 'server-error', status: 503 } })
    expect((await failure()).code).toBe('REGISTRY_ERROR')
  })
  test('a clock that is an hour off is corrected by itself', async () => {
    ecr.settings.clockOffsetSeconds = 3600
    const local = openAwsWorld(ecr.environment)
    const token = await local.connection.tokens.get()
    await local.close()
    expect(token.registryHost).toBe(ecr.registryHost)
  })
  test('an account that is not ours, on listing and creating', async () => {
    const local = openAwsWorld(ecr.environment)
    ecr.policy.deny({ action: 'CreateRepository', reason: 'resource' })
    const error = await failureOf(createRepository(local.connection.controlPlane, 'new/one'))
    await local.close()
    expect(error.hint).toMatch(/owner of the registry/)
  })
  test('a cancelled list', async () => {
    const local = openAwsWorld(ecr.environment)
    const stop = new AbortController()
    ecr.faults.add({ listener: 'api', fault: { kind: 'stall', afterBytes: 0 } })
    const list = listRepositories(local.connection.controlPlane, { signal: stop.signal })
    const work = list.next()
    setTimeout(() => stop.abort(), 50)
    const error = await failureOf(work)
    await local.close()
    expect(error.code).toBe('CANCELLED')
  })
})
