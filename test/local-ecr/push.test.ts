import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { CreateRepositoryCommand } from '@aws-sdk/client-ecr'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { digestOf } from '../../src/local-ecr/blob-store.ts'
import { blobUrl, startTemporaryEcr, type TemporaryEcr } from './temporary-ecr.ts'

let local: TemporaryEcr
beforeAll(async () => {
  local = await startTemporaryEcr()
  for (const repositoryName of ['team/app', 'team/other']) {
    await local.client.send(new CreateRepositoryCommand({ repositoryName }))
  }
  await local.client.send(
    new CreateRepositoryCommand({ repositoryName: 'team/fixed', imageTagMutability: 'IMMUTABLE' }),
  )
})
afterAll(() => local.close())

const ociManifest = 'application/vnd.oci.image.manifest.v1+json'

async function startUpload(name: string, query = ''): Promise<string> {
  const response = await local.fetch(`/v2/${name}/blobs/uploads/${query}`, { method: 'POST' })
  expect(response.status).toBe(202)
  return response.headers.get('location') ?? ''
}

async function pushBlob(name: string, text: string): Promise<{ digest: string; size: number }> {
  const body = Buffer.from(text)
  const digest = digestOf(body)
  const upload = await startUpload(name)
  const response = await local.fetch(`${upload}?digest=${digest}`, { method: 'PUT', body })
  expect(response.status).toBe(201)
  return { digest, size: body.byteLength }
}

async function pushManifest(name: string, tag: string, manifest: unknown, type = ociManifest) {
  return local.fetch(`/v2/${name}/manifests/${tag}`, {
    method: 'PUT',
    body: JSON.stringify(manifest),
    headers: { 'content-type': type },
  })
}

async function imageManifest(name: string, text: string): Promise<unknown> {
  const config = await pushBlob(name, `{"text":"${text}"}`)
  const layer = await pushBlob(name, `layer ${text}`)
  return {
    schemaVersion: 2,
    mediaType: ociManifest,
    config: { mediaType: 'application/vnd.oci.image.config.v1+json', ...config },
    layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar', ...layer }],
  }
}

async function errorCode(response: Response): Promise<string> {
  const body = (await response.json()) as { errors: { code: string }[] }
  return `${response.status} ${body.errors[0]?.code}`
}

test('a blob in chunks is the chunks in order', async () => {
  const upload = await startUpload('team/app')
  const ranges: (string | null)[] = []
  for (const [at, text] of [
    [0, 'first '],
    [6, 'second'],
  ] as const) {
    const headers = { 'content-range': `${at}-${at + 5}` }
    const response = await local.fetch(upload, { method: 'PATCH', body: text, headers })
    expect(response.status).toBe(202)
    ranges.push(response.headers.get('range'))
  }
  expect(ranges).toEqual(['0-5', '0-11'])
  const digest = digestOf(Buffer.from('first second!'))
  const end = await local.fetch(`${upload}?digest=${digest}`, { method: 'PUT', body: '!' })
  expect(end.status).toBe(201)
  expect(end.headers.get('docker-content-digest')).toBe(digest)
  expect(await (await fetch(await blobUrl(local, 'team/app', digest))).text()).toBe('first second!')
})

test('a chunk that does not begin where the last one ended is refused', async () => {
  const upload = await startUpload('team/app')
  const headers = { 'content-range': '5-9' }
  const response = await local.fetch(upload, { method: 'PATCH', body: '56789', headers })
  expect(await errorCode(response)).toBe('416 BLOB_UPLOAD_INVALID')
})

test('a whole blob may come with the POST', async () => {
  const digest = digestOf(Buffer.from('whole'))
  const path = `/v2/team/app/blobs/uploads/?digest=${digest}`
  const response = await local.fetch(path, { method: 'POST', body: 'whole' })
  expect(response.status).toBe(201)
  const head = await local.fetch(`/v2/team/app/blobs/${digest}`, { method: 'HEAD' })
  expect(head.headers.get('content-length')).toBe('5')
})

test('a mount only opens an upload', async () => {
  const { digest } = await pushBlob('team/other', 'shared')
  await startUpload('team/app', `?mount=${digest}&from=team/other`)
  const head = await local.fetch(`/v2/team/app/blobs/${digest}`, { method: 'HEAD' })
  expect(head.status).toBe(404)
})

test('bytes that are not what their digest says leave nothing behind', async () => {
  const upload = await startUpload('team/app')
  const digest = digestOf(Buffer.from('promised'))
  const response = await local.fetch(`${upload}?digest=${digest}`, { method: 'PUT', body: 'other' })
  expect(await errorCode(response)).toBe('400 DIGEST_INVALID')
  expect(await readdir(join(local.root, 'blobs', 'sha256'))).not.toContain(digest.slice(7))
  const again = await local.fetch(upload, { method: 'PATCH', body: 'x' })
  expect(await errorCode(again)).toBe('404 BLOB_UPLOAD_UNKNOWN')
})

test('an upload can be given up', async () => {
  const upload = await startUpload('team/app')
  expect((await local.fetch(upload, { method: 'DELETE' })).status).toBe(204)
  expect(await errorCode(await local.fetch(upload))).toBe('404 BLOB_UPLOAD_UNKNOWN')
})

test('a push to a repository that does not exist is refused by name', async () => {
  const response = await local.fetch('/v2/team/none/blobs/uploads/', { method: 'POST' })
  expect(await errorCode(response)).toBe('404 NAME_UNKNOWN')
})

test('a manifest becomes an image with its digest and its tag', async () => {
  const manifest = await imageManifest('team/app', 'one')
  const response = await pushManifest('team/app', '1', manifest)
  expect(response.status).toBe(201)
  const digest = digestOf(Buffer.from(JSON.stringify(manifest)))
  expect(response.headers.get('docker-content-digest')).toBe(digest)
  const back = await local.fetch('/v2/team/app/manifests/1')
  expect(await back.json()).toEqual(manifest)
})

test('a tag moves where tags may move, and stays where they are fixed', async () => {
  for (const [name, expected] of [
    ['team/app', '201'],
    ['team/fixed', '400 TAG_INVALID'],
  ] as const) {
    const first = await pushManifest(name, 'moving', await imageManifest(name, 'two'))
    expect(first.status).toBe(201)
    const same = await pushManifest(name, 'moving', await imageManifest(name, 'two'))
    expect(same.status).toBe(201)
    const second = await pushManifest(name, 'moving', await imageManifest(name, 'three'))
    expect(second.status === 201 ? '201' : await errorCode(second)).toBe(expected)
  }
})

test('an index needs its children', async () => {
  const type = 'application/vnd.oci.image.index.v1+json'
  const manifest = await imageManifest('team/app', 'child')
  const bytes = Buffer.from(JSON.stringify(manifest))
  const child = { mediaType: ociManifest, digest: digestOf(bytes), size: bytes.byteLength }
  const index = { schemaVersion: 2, mediaType: type, manifests: [child] }
  const early = await pushManifest('team/app', 'index', index, type)
  expect(await errorCode(early)).toBe('400 MANIFEST_BLOB_UNKNOWN')
  expect((await pushManifest('team/app', child.digest, manifest)).status).toBe(201)
  expect((await pushManifest('team/app', 'index', index, type)).status).toBe(201)
})

const digest = `sha256:${'0'.repeat(64)}`
const config = { mediaType: 'application/vnd.oci.image.config.v1+json', digest, size: 3 }
const empty = { schemaVersion: 2, mediaType: ociManifest, config, layers: [] }

test.each([
  ['a missing blob', empty, ociManifest, '400 MANIFEST_BLOB_UNKNOWN'],
  ['schema 1', { schemaVersion: 1 }, ociManifest, '400 MANIFEST_INVALID'],
  [
    'another type than its own',
    empty,
    'application/vnd.docker.distribution.manifest.v2+json',
    '400 MANIFEST_INVALID',
  ],
  ['an unknown type', { ...empty, mediaType: 'text/html' }, 'text/html', '405 UNSUPPORTED'],
  ['no layers', { ...empty, layers: undefined }, ociManifest, '400 MANIFEST_INVALID'],
  [
    'a digest that is a path',
    { ...empty, config: { ...config, digest: 'sha256:../../x' } },
    ociManifest,
    '400 MANIFEST_INVALID',
  ],
  ['no object', [], ociManifest, '400 MANIFEST_INVALID'],
  ['too many bytes', 'x'.repeat(5 * 1024 * 1024), ociManifest, '400 MANIFEST_INVALID'],
])('a manifest with %s is refused', async (_, manifest, type, expected) => {
  expect(await errorCode(await pushManifest('team/app', 'bad', manifest, type))).toBe(expected)
})

test('a manifest under a digest that is not its own is refused', async () => {
  const response = await pushManifest('team/app', digest, await imageManifest('team/app', 'four'))
  expect(await errorCode(response)).toBe('400 DIGEST_INVALID')
})

test('a size that is not the blob’s is refused', async () => {
  const { digest: real } = await pushBlob('team/app', 'sized')
  const manifest = { ...empty, config: { ...config, digest: real, size: 4 } }
  expect(await errorCode(await pushManifest('team/app', 'bad', manifest))).toBe('400 SIZE_INVALID')
})

test.each([['.hidden'], ['a'.repeat(129)], ['a%20b']])('"%s" is not a tag', async (tag) => {
  const response = await pushManifest('team/app', tag, empty)
  expect(await errorCode(response)).toBe('400 TAG_INVALID')
})

test('what was pushed is there after a restart, and unfinished uploads are gone', async () => {
  const manifest = await imageManifest('team/app', 'kept')
  await pushManifest('team/app', 'kept', manifest)
  await local.fetch(await startUpload('team/app'), { method: 'PATCH', body: 'half' })
  expect(await readdir(join(local.root, 'uploads'))).not.toEqual([])
  const again = await startTemporaryEcr({ root: local.root })
  try {
    const back = await again.fetch('/v2/team/app/manifests/kept')
    expect(await back.json()).toEqual(manifest)
    expect(await readdir(join(local.root, 'uploads'))).toEqual([])
  } finally {
    again.client.destroy()
    await again.ecr.close()
  }
})
