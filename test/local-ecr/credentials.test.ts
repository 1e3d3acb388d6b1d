import {
  BatchGetImageCommand,
  DescribeRepositoriesCommand,
  GetAuthorizationTokenCommand,
} from '@aws-sdk/client-ecr'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import type { Principal } from '../../src/local-ecr/principal.ts'
import { errorOf, nameOfError, startTemporaryEcr, type TemporaryEcr } from './temporary-ecr.ts'

let local: TemporaryEcr
beforeAll(async () => {
  local = await startTemporaryEcr()
})
afterEach(() => {
  local.ecr.settings.clockOffsetSeconds = 0
  local.ecr.policy.clear()
})
afterAll(() => local.close())

const token = () => new GetAuthorizationTokenCommand({})

const role: Principal = {
  accessKeyId: 'ASIAEXAMPLE',
  secretAccessKey: 'session-secret',
  sessionToken: 'session-token',
  arn: 'arn:aws:sts::123456789012:assumed-role/scientist/session',
}

test('an unknown key is an invalid security token', async () => {
  const client = local.newClient({ credentials: { accessKeyId: 'AKIAX', secretAccessKey: 'x' } })
  const error = await errorOf(client.send(token()))
  expect(error.name).toBe('UnrecognizedClientException')
  expect(error.message).toBe('The security token included in the request is invalid.')
})

test('a wrong secret makes a signature that does not match', async () => {
  const credentials = { ...local.ecr.user, secretAccessKey: 'wrong' }
  const error = await errorOf(local.newClient({ credentials }).send(token()))
  expect(error.name).toBe('InvalidSignatureException')
  expect(error.message).toMatch(/^The request signature we calculated does not match/)
})

test('another region is not the one to sign for', async () => {
  const error = await errorOf(local.newClient({ region: 'eu-west-1' }).send(token()))
  expect(error.name).toBe('InvalidSignatureException')
  expect(error.message).toBe("Credential should be scoped to a valid region, not 'eu-west-1'.")
})

test.each([
  [
    301,
    /^Signature expired: \d{8}T\d{6}Z is now earlier than \d{8}T\d{6}Z \(\d{8}T\d{6}Z - 5 min\.\)$/,
  ],
  [-301, /^Signature not yet current: \d{8}T\d{6}Z is still later than \d{8}T\d{6}Z/],
])(
  'a clock that is %i seconds off is refused, with the time that the SDK needs',
  async (offset, text) => {
    local.ecr.settings.clockOffsetSeconds = offset
    const error = await errorOf(local.newClient().send(token()))
    expect(error.name).toBe('InvalidSignatureException')
    expect(error.message).toMatch(text)
    const corrected = await local.newClient({ maxAttempts: 2 }).send(token())
    expect(corrected.$metadata.attempts).toBe(2)
  },
)

test('a clock that is four minutes off does not matter', async () => {
  local.ecr.settings.clockOffsetSeconds = 240
  const output = await local.newClient().send(token())
  expect(output.authorizationData).toHaveLength(1)
})

test('a temporary key works with its session token, until it ends', async () => {
  local.ecr.addPrincipal({ ...role, expiresAtMs: Date.now() + 60_000 })
  const client = local.newClient({ credentials: role })
  expect((await client.send(token())).authorizationData).toHaveLength(1)
  local.ecr.addPrincipal({ ...role, expiresAtMs: Date.now() - 1 })
  const error = await errorOf(client.send(token()))
  expect(error.name).toBe('ExpiredTokenException')
  expect(error.message).toBe('The security token included in the request is expired')
})

test('a temporary key without its session token is not recognised', async () => {
  local.ecr.addPrincipal(role)
  const { accessKeyId, secretAccessKey } = role
  const client = local.newClient({ credentials: { accessKeyId, secretAccessKey } })
  expect(await nameOfError(client.send(token()))).toBe('UnrecognizedClientException')
})

test.each([
  ['identity', 'because no identity-based policy allows the ecr:GetAuthorizationToken action'],
  ['explicit', 'with an explicit deny in an identity-based policy'],
  ['service-control-policy', 'with an explicit deny in a service control policy'],
] as const)('a denial by %s says so', async (reason, text) => {
  local.ecr.policy.deny({ action: 'GetAuthorizationToken', reason })
  const error = await errorOf(local.client.send(token()))
  expect(error.name).toBe('AccessDeniedException')
  expect(error.message).toBe(
    `User: arn:aws:iam::123456789012:user/local is not authorized to perform: ecr:GetAuthorizationToken on resource: * ${text}`,
  )
})

test('a denial may be for one caller and one repository', async () => {
  local.ecr.addPrincipal(role)
  local.ecr.policy.deny({
    action: 'BatchGetImage',
    repository: 'a/one',
    arn: role.arn,
    reason: 'resource',
  })
  const get = (repositoryName: string) =>
    new BatchGetImageCommand({ repositoryName, imageIds: [{ imageTag: 'x' }] })
  const client = local.newClient({ credentials: role })
  const error = await errorOf(client.send(get('a/one')))
  expect(error.message).toBe(
    `User: ${role.arn} is not authorized to perform: ecr:BatchGetImage on resource: arn:aws:ecr:us-east-1:123456789012:repository/a/one because no resource-based policy allows the ecr:BatchGetImage action`,
  )
  const other = [client.send(get('a/two')), local.client.send(get('a/one'))]
  for (const one of other) expect(await nameOfError(one)).toBe('RepositoryNotFoundException')
})

test('listing without names asks for all repositories', async () => {
  local.ecr.policy.deny({ action: 'DescribeRepositories' })
  const error = await errorOf(local.client.send(new DescribeRepositoriesCommand({})))
  expect(error.message).toContain(
    'resource: arn:aws:ecr:us-east-1:123456789012:repository/* because',
  )
})

const target = 'AmazonEC2ContainerRegistry_V20150921.DescribeRegistry'

test.each([
  ['no Authorization header', {}, 'MissingAuthenticationTokenException'],
  [
    'half a header',
    { authorization: 'AWS4-HMAC-SHA256 Credential=x' },
    'IncompleteSignatureException',
  ],
  [
    'a chunked signature',
    { 'x-amz-content-sha256': 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD' },
    'InvalidSignatureException',
  ],
])('%s is refused', async (_, headers, name) => {
  const response = await fetch(local.ecr.apiUrl, {
    method: 'POST',
    body: '{}',
    headers: { 'x-amz-target': target, ...(headers as Record<string, string>) },
  })
  expect(response.status).toBe(400)
  expect(response.headers.get('x-amzn-requestid')).toMatch(/^[0-9a-f-]{36}$/)
  expect(await response.json()).toMatchObject({ __type: name })
})

test('the region’s partition stands in its names', async () => {
  const china = await startTemporaryEcr({ region: 'cn-north-1', accountId: '210987654321' })
  try {
    china.ecr.policy.deny({ action: 'DescribeRepositories' })
    const error = await errorOf(china.client.send(new DescribeRepositoriesCommand({})))
    expect(error.message).toContain('User: arn:aws-cn:iam::210987654321:user/local')
    expect(error.message).toContain('arn:aws-cn:ecr:cn-north-1:210987654321:repository/*')
  } finally {
    await china.close()
  }
})
