import { Readable } from 'node:stream'
import { gunzipSync } from 'node:zlib'
import { DescribeRepositoriesCommand } from '@aws-sdk/client-ecr'
import { request } from 'undici'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { digestOf } from '../../src/local-ecr/blob-store.ts'
import type { Fault } from '../../src/local-ecr/fault.ts'
import {
  blobUrl,
  errorOf,
  nameOfError,
  smallLayer,
  startTemporaryEcr,
  type TemporaryEcr,
} from './temporary-ecr.ts'

let local: TemporaryEcr
let url: string
let layer: { digest: string; size: number }
let whole: Buffer
beforeAll(async () => {
  local = await startTemporaryEcr({ seed: true })
  layer = await smallLayer(local)
  url = await blobUrl(local, 'library/busybox', layer.digest)
  whole = Buffer.from(await (await fetch(url)).arrayBuffer())
})
afterEach(() => local.ecr.faults.clear())
afterAll(() => local.close())

const onBlobs = (fault: Fault) => local.ecr.faults.add({ listener: 'blobs', fault })
const describe = () => local.client.send(new DescribeRepositoriesCommand({}))

/** Bytes that arrive, and the code of the failure if the body does not end well. */
async function receive(from: string): Promise<{ bytes: Buffer; failure: string | undefined }> {
  const { body } = await request(from)
  const parts: Buffer[] = []
  try {
    for await (const part of body) parts.push(part)
    return { bytes: Buffer.concat(parts), failure: undefined }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    return { bytes: Buffer.concat(parts), failure: code ?? String(error) }
  }
}

test('every second request is throttled, in the words of each listener', async () => {
  local.ecr.faults.add({ every: 2, fault: { kind: 'throttle' } })
  await describe()
  const error = await errorOf(describe())
  expect([error.name, error.message]).toEqual(['ThrottlingException', 'Rate exceeded'])
  await describe()
  const registry = await fetch(`http://${local.ecr.registryHost}/v2/`)
  expect(registry.status).toBe(429)
  expect(registry.headers.has('retry-after')).toBe(false)
  expect(await registry.json()).toEqual({
    errors: [{ code: 'TOOMANYREQUESTS', message: 'Rate exceeded' }],
  })
})

test('throttling may say when to come back, and stop after some times', async () => {
  local.ecr.faults.add({
    listener: 'blobs',
    times: 1,
    fault: { kind: 'throttle', retryAfterSeconds: 7 },
  })
  const throttled = await fetch(url)
  expect([throttled.status, throttled.headers.get('retry-after')]).toEqual([503, '7'])
  expect((await fetch(url)).status).toBe(200)
})

test('a server error has each listener’s form', async () => {
  local.ecr.faults.add({ fault: { kind: 'server-error', status: 503 } })
  expect(await nameOfError(describe())).toBe('ServerException')
  const registry = await fetch(`http://${local.ecr.registryHost}/v2/`)
  expect([registry.status, await registry.json()]).toMatchObject([
    503,
    { errors: [{ code: 'UNKNOWN' }] },
  ])
  expect(await (await fetch(url)).text()).toContain('<Code>InternalError</Code>')
})

test('a proxy’s page makes the SDK stumble', async () => {
  local.ecr.faults.add({ listener: 'api', fault: { kind: 'html' } })
  expect(await nameOfError(describe())).toBe('SyntaxError')
})

test('a challenge in place of the answer', async () => {
  const wwwAuthenticate = 'Bearer realm="http://127.0.0.1/token"'
  local.ecr.faults.add({ operation: 'Ping', fault: { kind: 'challenge', wwwAuthenticate } })
  const response = await local.fetch('/v2/')
  expect([response.status, response.headers.get('www-authenticate')]).toEqual([
    401,
    wwwAuthenticate,
  ])
})

test('a rule may hold for one operation and one repository', async () => {
  local.ecr.faults.add({
    operation: 'GetManifest',
    repository: 'library/busybox',
    fault: { kind: 'server-error' },
  })
  const status = async (path: string) => (await local.fetch(path)).status
  expect(await status('/v2/library/busybox/manifests/latest')).toBe(500)
  expect(await status('/v2/library/busybox/tags/list')).toBe(200)
  expect(await status('/v2/science/hello/manifests/1.0')).toBe(200)
})

test('a rule that is taken back does nothing any more', async () => {
  const undo = onBlobs({ kind: 'html', status: 503 })
  undo()
  expect((await fetch(url)).status).toBe(200)
})

test('a chain of redirects ends at the blob', async () => {
  onBlobs({ kind: 'redirect', hops: 3 })
  const before = local.ecr.requests.length
  const bytes = Buffer.from(await (await fetch(url)).arrayBuffer())
  expect(digestOf(bytes)).toBe(layer.digest)
  expect(local.ecr.requests.slice(before).map((one) => one.status)).toEqual([307, 307, 307, 200])
})

test('a chain without end is given up by the client', async () => {
  onBlobs({ kind: 'redirect', hops: Infinity })
  expect(String((await errorOf(fetch(url))).cause)).toContain('redirect count exceeded')
})

test('a reset comes after that many bytes', async () => {
  onBlobs({ kind: 'reset', afterBytes: 100 })
  const { bytes, failure } = await receive(url)
  expect(failure).toMatch(/ECONNRESET|UND_ERR_SOCKET/)
  expect(bytes).toEqual(whole.subarray(0, bytes.length))
  expect(bytes.length).toBeLessThanOrEqual(100)
})

test('a reset may come before the headers', async () => {
  onBlobs({ kind: 'reset', afterBytes: 0 })
  const error = await errorOf(request(url))
  expect((error as NodeJS.ErrnoException).code).toMatch(/ECONNRESET|UND_ERR_SOCKET/)
})

test('a truncated body is seen by its length', async () => {
  onBlobs({ kind: 'truncate', afterBytes: 100 })
  const { bytes, failure } = await receive(url)
  expect(failure).toBe('UND_ERR_SOCKET')
  expect(bytes).toEqual(whole.subarray(0, 100))
})

test('a truncated body without a length looks complete', async () => {
  onBlobs({ kind: 'truncate', afterBytes: 100, hideLength: true })
  const response = await fetch(url)
  expect(response.headers.has('content-length')).toBe(false)
  expect(response.headers.has('transfer-encoding')).toBe(false)
  expect(Buffer.from(await response.arrayBuffer())).toEqual(whole.subarray(0, 100))
})

test('a stalled body sends its part and then nothing, until the client leaves', async () => {
  onBlobs({ kind: 'stall', afterBytes: 100 })
  const { body } = await request(url)
  const parts: Buffer[] = []
  const stalled = new AbortController()
  body.on('data', (part: Buffer) => {
    parts.push(part)
    if (Buffer.concat(parts).length === 100) stalled.abort()
  })
  body.on('error', () => undefined)
  await new Promise((resolve) => stalled.signal.addEventListener('abort', resolve))
  body.destroy()
  expect(Buffer.concat(parts)).toEqual(whole.subarray(0, 100))
})

test('closing ends a body that stalls', async () => {
  const other = await startTemporaryEcr({ seed: true })
  const stalling = await blobUrl(other, 'library/busybox', layer.digest)
  other.ecr.faults.add({ listener: 'blobs', fault: { kind: 'stall', afterBytes: 10 } })
  const { body } = await request(stalling)
  const failure = errorOf(body.text())
  await other.close()
  expect((await failure) as NodeJS.ErrnoException).toHaveProperty('code')
})

test('a slow body takes its time and is whole', async () => {
  onBlobs({ kind: 'slow', bytesPerSecond: layer.size * 4 })
  const start = performance.now()
  const { bytes } = await receive(url)
  expect(bytes).toEqual(whole)
  expect(performance.now() - start).toBeGreaterThan(150)
})

test('one byte is wrong, and only that', async () => {
  onBlobs({ kind: 'wrong-byte', at: 50 })
  const { bytes } = await receive(url)
  const different = [...bytes.keys()].filter((at) => bytes[at] !== whole[at])
  expect(bytes.length).toBe(whole.length)
  expect(different).toEqual([50])
})

test('a body in gzip says so and unpacks to the blob', async () => {
  onBlobs({ kind: 'gzip' })
  const { headers, body } = await request(url)
  expect(headers['content-encoding']).toBe('gzip')
  expect(gunzipSync(Buffer.from(await body.arrayBuffer()))).toEqual(whole)
})

test('without ranges the whole comes, with 200', async () => {
  onBlobs({ kind: 'no-range' })
  const response = await fetch(url, { headers: { range: 'bytes=10-19' } })
  expect([response.status, response.headers.has('accept-ranges')]).toEqual([200, false])
  expect(Buffer.from(await response.arrayBuffer())).toEqual(whole)
})

test('a client that leaves in the middle of a body or an upload does no harm', async () => {
  onBlobs({ kind: 'slow', bytesPerSecond: 10 })
  const { body } = await request(url)
  await new Promise((resolve) => body.once('data', resolve))
  body.on('error', () => undefined).destroy()
  const headers = { authorization: await local.authorization() }
  const start = await local.fetch('/v2/library/busybox/blobs/uploads/', { method: 'POST' })
  const leaving = new AbortController()
  const endless = async function* () {
    yield Buffer.from('half')
    leaving.abort()
    await new Promise(() => undefined)
  }
  const upload = request(start.headers.get('location') ?? '', {
    method: 'PATCH',
    body: Readable.from(endless()),
    headers,
    signal: leaving.signal,
  })
  expect(await nameOfError(upload)).toBe('AbortError')
  local.ecr.faults.clear()
  expect((await fetch(url)).status).toBe(200)
})

test.each(['stall', 'truncate', 'reset'] as const)(
  'a body that ends before the fault %s begins is whole',
  async (kind) => {
    for (const afterBytes of [whole.byteLength, whole.byteLength + 1]) {
      const undo = onBlobs({ kind, afterBytes })
      expect(await receive(url)).toEqual({ bytes: whole, failure: undefined })
      undo()
    }
  },
)
