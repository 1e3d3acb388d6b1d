import { afterAll, beforeAll, expect, test } from 'vitest'
import { parseRange } from '../../src/local-ecr/blob-storage.ts'
import { digestOf } from '../../src/local-ecr/blob-store.ts'
import { blobUrl, smallLayer, startTemporaryEcr, type TemporaryEcr } from './temporary-ecr.ts'

let local: TemporaryEcr
let url: string
let layer: { digest: string; size: number }
beforeAll(async () => {
  local = await startTemporaryEcr({ seed: true })
  layer = await smallLayer(local)
  url = await blobUrl(local, 'library/busybox', layer.digest)
})
afterAll(() => local.close())

test('the URL alone opens the blob', async () => {
  const response = await fetch(url)
  expect(response.status).toBe(200)
  expect(response.headers.get('accept-ranges')).toBe('bytes')
  expect(response.headers.get('etag')).toMatch(/^"[0-9a-f]{32}"$/)
  expect(response.headers.get('content-type')).toBe('application/octet-stream')
  expect(digestOf(Buffer.from(await response.arrayBuffer()))).toBe(layer.digest)
})

test('an Authorization header beside the signature is refused', async () => {
  const response = await fetch(url, { headers: { authorization: await local.authorization() } })
  expect(response.status).toBe(400)
  expect(response.headers.get('content-type')).toBe('application/xml')
  const text = await response.text()
  expect(text).toContain('<Code>InvalidArgument</Code>')
  expect(text).toContain('Only one auth mechanism allowed')
})

test('the URL ends after its life', async () => {
  local.ecr.settings.clockOffsetSeconds = 3601
  const response = await fetch(url)
  local.ecr.settings.clockOffsetSeconds = 0
  expect(response.status).toBe(403)
  expect(await response.text()).toContain('<Message>Request has expired</Message>')
})

test('a URL that was changed does not open anything', async () => {
  const longer = url.replace('X-Amz-Expires=3600', 'X-Amz-Expires=360000')
  const other = url.replace(layer.digest, `sha256:${'0'.repeat(64)}`)
  for (const forged of [longer, other]) {
    const response = await fetch(forged)
    expect(response.status).toBe(403)
    expect(await response.text()).toContain('SignatureDoesNotMatch')
  }
})

test('a range is that part of the blob', async () => {
  const whole = Buffer.from(await (await fetch(url)).arrayBuffer())
  const response = await fetch(url, { headers: { range: 'bytes=10-19' } })
  expect(response.status).toBe(206)
  expect(response.headers.get('content-range')).toBe(`bytes 10-19/${layer.size}`)
  expect(Buffer.from(await response.arrayBuffer())).toEqual(whole.subarray(10, 20))
})

test('a range past the end cannot be satisfied', async () => {
  const response = await fetch(url, { headers: { range: `bytes=${layer.size}-` } })
  expect(response.status).toBe(416)
  expect(response.headers.get('content-range')).toBe(`bytes */${layer.size}`)
})

test.each([
  ['bytes=0-', { start: 0, end: 99 }],
  ['bytes=90-', { start: 90, end: 99 }],
  ['bytes=5-7', { start: 5, end: 7 }],
  ['bytes=5-500', { start: 5, end: 99 }],
  ['bytes=-10', { start: 90, end: 99 }],
  ['bytes=-500', { start: 0, end: 99 }],
  ['bytes=-0', 'unsatisfiable'],
  ['bytes=100-', 'unsatisfiable'],
  ['bytes=7-5', undefined],
  ['bytes=-', undefined],
  ['bytes=1-2,4-5', undefined],
  [undefined, undefined],
])('of 100 bytes, the range %s is %o', (header, expected) => {
  expect(parseRange(header, 100)).toEqual(expected)
})
