import { afterAll, beforeAll, expect, test } from 'vitest'
import { digestOf } from '../../src/local-ecr/blob-store.ts'
import {
  errorOf,
  manifestOf,
  smallLayer,
  startTemporaryEcr,
  type TemporaryEcr,
} from './temporary-ecr.ts'

let local: TemporaryEcr
beforeAll(async () => {
  local = await startTemporaryEcr({ seed: true })
})
afterAll(() => local.close())

const registry = () => `http://${local.ecr.registryHost}`

test('the ping answers who has a token', async () => {
  const response = await local.fetch('/v2/')
  expect(response.status).toBe(200)
  expect(response.headers.get('docker-distribution-api-version')).toBe('registry/2.0')
})

test.each([
  ['no credential', {}],
  ['the empty one that skopeo sends', { authorization: 'Basic Og==' }],
  ['one that was never issued', { authorization: `Basic ${btoa('AWS:secret')}` }],
  ['a Bearer token', { authorization: 'Bearer abc' }],
])('with %s the answer is 401 in plain text with a Basic challenge', async (_, headers) => {
  const response = await fetch(`${registry()}/v2/`, { headers: headers as Record<string, string> })
  expect(response.status).toBe(401)
  expect(response.headers.get('www-authenticate')).toBe(
    `Basic realm="${registry()}/",service="ecr.amazonaws.com"`,
  )
  expect(response.headers.get('content-type')).toMatch(/^text\/plain/)
  expect(await response.text()).toBe('Not Authorized\n')
})

test('a token of another run is unknown here', async () => {
  const other = await startTemporaryEcr()
  const authorization = await other.authorization().finally(() => other.close())
  const response = await fetch(`${registry()}/v2/`, { headers: { authorization } })
  expect(response.status).toBe(401)
})

const expired = {
  errors: [
    {
      code: 'DENIED',
      message: 'Your authorization token has expired. Reauthenticate and try again.',
    },
  ],
}

test('a token that is over gets 403, and a new one opens again', async () => {
  const authorization = await local.authorization()
  local.ecr.expireTokens()
  const response = await fetch(`${registry()}/v2/`, { headers: { authorization } })
  expect(response.status).toBe(403)
  expect(await response.json()).toEqual(expired)
  expect((await local.fetch('/v2/')).status).toBe(200)
})

test('a token ends after its life by the emulator’s clock', async () => {
  local.ecr.settings.tokenTtlSeconds = 60
  const authorization = await local.authorization()
  local.ecr.settings.tokenTtlSeconds = 12 * 3600
  const statuses: number[] = []
  for (const seconds of [59, 61]) {
    local.ecr.settings.clockOffsetSeconds = seconds
    statuses.push((await fetch(`${registry()}/v2/`, { headers: { authorization } })).status)
  }
  local.ecr.settings.clockOffsetSeconds = 0
  expect(statuses).toEqual([200, 403])
})

test('a manifest comes as it was pushed, without a digest header; HEAD has it', async () => {
  const path = '/v2/library/busybox/manifests/latest'
  const get = await local.fetch(path)
  expect(get.headers.get('content-type')).toBe(
    'application/vnd.docker.distribution.manifest.v2+json',
  )
  expect(get.headers.has('docker-content-digest')).toBe(false)
  expect(get.headers.has('etag')).toBe(false)
  const bytes = Buffer.from(await get.arrayBuffer())
  const head = await local.fetch(path, { method: 'HEAD' })
  expect(head.headers.get('docker-content-digest')).toBe(digestOf(bytes))
  expect(head.headers.get('content-length')).toBe(String(bytes.byteLength))
  const byDigest = await local.fetch(`/v2/library/busybox/manifests/${digestOf(bytes)}`)
  expect(Buffer.from(await byDigest.arrayBuffer())).toEqual(bytes)
})

test.each([
  [
    'an unknown repository',
    '/v2/library/nothing/manifests/latest',
    'NAME_UNKNOWN',
    "The repository with name 'library/nothing' does not exist in the registry with id '123456789012'",
  ],
  [
    'an unknown tag',
    '/v2/library/busybox/manifests/none',
    'MANIFEST_UNKNOWN',
    'Requested image not found',
  ],
  [
    'an unknown blob',
    `/v2/library/busybox/blobs/sha256:${'0'.repeat(64)}`,
    'BLOB_UNKNOWN',
    'blob unknown to registry',
  ],
])('%s gets 404 with its code', async (_, path, code, message) => {
  const response = await local.fetch(path)
  expect(response.status).toBe(404)
  expect(await response.json()).toEqual({ errors: [{ code, message }] })
})

test('a blob of another repository is unknown in this one', async () => {
  const hello = await manifestOf(local, 'science/hello', '1.1')
  const response = await local.fetch(`/v2/library/busybox/blobs/${hello.config.digest}`)
  expect(response.status).toBe(404)
})

test('a blob is a redirect to another host name and port', async () => {
  const { digest } = await smallLayer(local)
  const response = await local.fetch(`/v2/library/busybox/blobs/${digest}`)
  expect(response.status).toBe(307)
  expect(response.headers.get('content-length')).toBe('0')
  const location = new URL(response.headers.get('location') ?? '')
  const [host, port] = local.ecr.registryHost.split(':')
  expect(location.hostname).not.toBe(host)
  expect(location.port).not.toBe(port)
  expect(location.searchParams.get('X-Amz-Expires')).toBe('3600')
})

test('tags are JSON sent as text, in pages with an absolute Link and an opaque place', async () => {
  const tags: string[] = []
  let next: string | undefined = '/v2/science/nightly/tags/list?n=50'
  const pages: number[] = []
  while (next !== undefined) {
    const response: Response = await local.fetch(next)
    expect(response.headers.get('content-type')).toBe('text/plain; charset=utf-8')
    const page = (await response.json()) as { name: string; tags: string[] }
    tags.push(...page.tags)
    pages.push(page.tags.length)
    next = /^<(http:[^>]+)>; rel="next"$/.exec(response.headers.get('link') ?? '')?.[1]
    expect(tags).not.toContain(next && new URL(next).searchParams.get('last'))
  }
  expect(pages).toEqual([50, 50, 21])
  expect(new Set(tags).size).toBe(121)
  expect(tags).not.toEqual([...tags].sort())
})

test('more than a thousand tags at once are refused in ECR’s words', async () => {
  const response = await local.fetch('/v2/library/busybox/tags/list?n=1001')
  expect(await response.json()).toEqual({
    errors: [
      {
        code: 'UNSUPPORTED',
        message:
          "Invalid parameter at 'maxResults' failed to satisfy constraint: 'Member must have value less than or equal to 1000'",
      },
    ],
  })
})

test('the catalog lists the repositories', async () => {
  const response = await local.fetch('/v2/_catalog?n=2')
  expect(await response.json()).toEqual({
    repositories: ['library/busybox', 'library/debian-tools'],
  })
  expect(response.headers.get('link')).toContain('rel="next"')
})

test('what is not an endpoint is unsupported', async () => {
  expect((await local.fetch('/v2/library/busybox', { method: 'DELETE' })).status).toBe(405)
})

test('a denied action gets 403 with the sentence that names it', async () => {
  const undo = local.ecr.policy.deny({ action: 'BatchGetImage', repository: 'library/busybox' })
  const denied = await local.fetch('/v2/library/busybox/manifests/latest')
  const other = await local.fetch('/v2/science/hello/manifests/1.0')
  undo()
  expect(denied.status).toBe(403)
  expect(await denied.json()).toEqual({
    errors: [
      {
        code: 'DENIED',
        message:
          'User: arn:aws:iam::123456789012:user/local is not authorized to perform: ecr:BatchGetImage on resource: arn:aws:ecr:us-east-1:123456789012:repository/library/busybox because no identity-based policy allows the ecr:BatchGetImage action',
      },
    ],
  })
  expect(other.status).toBe(200)
  expect((await local.fetch('/v2/library/busybox/manifests/latest')).status).toBe(200)
})

test('each request is in the log, without its secrets', async () => {
  await local.fetch('/v2/library/busybox/tags/list')
  expect(local.ecr.requests.at(-1)).toEqual({
    listener: 'registry',
    operation: 'ListTags',
    method: 'GET',
    path: '/v2/library/busybox/tags/list',
    host: local.ecr.registryHost,
    hadAuthorization: true,
    range: undefined,
    status: 200,
  })
})

test('closing twice is harmless, and nothing answers any more', async () => {
  const other = await startTemporaryEcr()
  await other.close()
  await other.ecr.close()
  expect((await errorOf(fetch(other.ecr.apiUrl))).message).toBe('fetch failed')
})
