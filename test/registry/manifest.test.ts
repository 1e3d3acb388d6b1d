import { describe, expect, test } from 'vitest'
import type { SregistryError } from '../../src/errors/sregistry-error.ts'
import { parseImageConfig } from '../../src/registry/image-config.ts'
import { own } from '../../src/registry/json-document.ts'
import { parseManifest, requireImage } from '../../src/registry/manifest.ts'
import {
  dockerConfigType,
  dockerManifestType,
  ociConfigType,
  ociIndexType,
  ociManifestType,
} from '../../src/registry/media-types.ts'
import { gzipLayerType, makeImage, makeIndex, noise, rawDescriptor } from './image-fixture.ts'

const blob = noise(10)
const layer = rawDescriptor(blob, gzipLayerType)
const config = rawDescriptor(blob, dockerConfigType)
const good = { schemaVersion: 2, mediaType: dockerManifestType, config, layers: [layer] }

function parse(document: unknown, contentType: string = dockerManifestType) {
  const text = typeof document === 'string' ? document : JSON.stringify(document)
  return parseManifest(Buffer.from(text), contentType, 'app:v1')
}

function failure(work: () => unknown): SregistryError {
  try {
    work()
  } catch (thrown) {
    return thrown as SregistryError
  }
  throw new Error('it was accepted')
}

describe('parseManifest', () => {
  test('reads a manifest of Docker and of OCI, with its type inside or only outside', () => {
    expect(parse(good)).toMatchObject({ kind: 'manifest', layers: [{ sizeBytes: 10 }] })
    const { mediaType: _, ...untyped } = good
    expect(parse(untyped, ociManifestType)).toMatchObject({ mediaType: ociManifestType })
  })

  test('reads an index, and an image without layers', () => {
    expect(parseManifest(makeIndex([layer]), ociIndexType, 'x')).toMatchObject({ kind: 'index' })
    expect(parse({ ...good, layers: [] })).toMatchObject({ layers: [] })
  })

  test('refuses an index that could be read as a manifest too', () => {
    const both = { schemaVersion: 2, mediaType: ociIndexType, manifests: [layer], layers: [layer] }
    expect(failure(() => parse(both, ociIndexType)).code).toBe('MANIFEST_INVALID')
  })

  test.each<[string, unknown, string]>([
    ['no JSON', '{', 'MANIFEST_INVALID'],
    ['a byte order mark', `\ufeff${JSON.stringify(good)}`, 'MANIFEST_INVALID'],
    ['a list', [], 'MANIFEST_INVALID'],
    ['no schemaVersion', { ...good, schemaVersion: undefined }, 'MANIFEST_INVALID'],
    ['both kinds at once', { ...good, manifests: [] }, 'MANIFEST_INVALID'],
    ['another type than its header', { ...good, mediaType: ociManifestType }, 'MANIFEST_INVALID'],
    ['an index’s type on a manifest', { ...good, mediaType: ociIndexType }, 'MANIFEST_INVALID'],
    ['layers that are no list', { ...good, layers: {} }, 'MANIFEST_INVALID'],
    ['a layer that is null', { ...good, layers: [null] }, 'MANIFEST_INVALID'],
    ['no config', { ...good, config: undefined }, 'MANIFEST_INVALID'],
    ['a negative size', { ...good, layers: [{ ...layer, size: -1 }] }, 'MANIFEST_INVALID'],
    ['half a byte', { ...good, layers: [{ ...layer, size: 0.5 }] }, 'MANIFEST_INVALID'],
    ['a size in words', { ...good, layers: [{ ...layer, size: '10' }] }, 'MANIFEST_INVALID'],
    ['2^60 bytes', { ...good, layers: [{ ...layer, size: 2 ** 60 }] }, 'MANIFEST_INVALID'],
    ['60 GB', { ...good, layers: [{ ...layer, size: 60e9 }] }, 'LIMIT_EXCEEDED'],
    [
      'a path for a digest',
      { ...good, layers: [{ ...layer, digest: 'sha256:../x' }] },
      'MANIFEST_INVALID',
    ],
    ['1,025 layers', { ...good, layers: Array(1025).fill(layer) }, 'LIMIT_EXCEEDED'],
    [
      '33 levels',
      JSON.stringify({ ...good, x: 0 }).replace('"x":0', `"x":${'['.repeat(40)}${']'.repeat(40)}`),
      'LIMIT_EXCEEDED',
    ],
    ['2,000,000 levels', `${'['.repeat(2_000_000)}${']'.repeat(2_000_000)}`, 'LIMIT_EXCEEDED'],
    [
      'a config only by its prototype',
      `{"schemaVersion":2,"__proto__":{"config":{},"layers":[]}}`,
      'MANIFEST_INVALID',
    ],
  ])('refuses %s', (_, document, code) => {
    expect(failure(() => parse(document)).code).toBe(code)
  })

  test.each([
    [
      'a Docker schema 1 manifest',
      { schemaVersion: 1, fsLayers: [] },
      'application/vnd.docker.distribution.manifest.v1+prettyjws',
    ],
    [
      'an attestation',
      { ...good, artifactType: 'application/vnd.in-toto+json' },
      dockerManifestType,
    ],
    [
      'a document of type application/json',
      { schemaVersion: 2, layers: [], config },
      'application/json',
    ],
  ])('refuses %s by its name', (name, document, type) => {
    const error = failure(() => parse(document, type))
    expect(error.code).toBe('NOT_AN_IMAGE')
    expect(error.message).toContain(name)
  })
})

test('only own properties count', () => {
  expect(own({}, 'toString')).toBeUndefined()
  expect(own(Object.create({ config: 1 }), 'config')).toBeUndefined()
})

test.each([
  ['a Helm chart', 'application/vnd.cncf.helm.config.v1+json', gzipLayerType],
  ['a Docker plugin', 'application/vnd.docker.plugin.v1+json', gzipLayerType],
  ['an encrypted image', ociConfigType, 'application/vnd.oci.image.layer.v1.tar+gzip+encrypted'],
  ['a cosign signature', ociConfigType, 'application/vnd.dev.cosign.simplesigning.v1+json'],
  ['an OCI artifact', 'application/vnd.oci.empty.v1+json', gzipLayerType],
  ['layers of type text/plain', ociConfigType, 'text/plain'],
])('requireImage refuses %s by its name', (name, configType, layerType) => {
  const manifest = parse({
    ...good,
    config: rawDescriptor(blob, configType),
    layers: [rawDescriptor(blob, layerType)],
  })
  if (manifest.kind !== 'manifest') throw new Error('an index')
  const error = failure(() => requireImage(manifest, 'app:v1'))
  expect(error.code).toBe('NOT_AN_IMAGE')
  expect(error.message).toContain(name)
})

describe('parseImageConfig', () => {
  const image = makeImage()
  const read = (document: unknown, layers = 0) =>
    parseImageConfig(Buffer.from(JSON.stringify(document)), layers, 'the config')

  test('reads what a container needs; null is none', () => {
    const parsed = parseImageConfig(image.config, 2, 'the config')
    expect(parsed.config).toMatchObject({
      Env: ['PATH=/bin'],
      Cmd: ['sh'],
      Entrypoint: [],
      Labels: {},
    })
    expect(parsed.diffIds).toHaveLength(2)
  })

  test('an empty one is legal', () => {
    expect(read({})).toMatchObject({ diffIds: [], history: [], config: { Env: [] } })
  })

  test('a command written as a string goes to a shell', () => {
    expect(read({ config: { Cmd: 'echo hi' } }).config.Cmd).toEqual(['/bin/sh', '-c', 'echo hi'])
  })

  test('layers without a diff id are refused', () => {
    expect(failure(() => read({}, 1)).message).toContain('0 diff_ids for 1 layers')
  })

  test.each([
    [{ config: { Env: [1] } }],
    [{ config: { Env: 'A=b' } }],
    [{ config: { Labels: { a: 1 } } }],
    [{ config: [] }],
    [{ rootfs: [] }],
    [{ history: [1] }],
    [{ os: 7 }],
  ])('%j is refused', (document) => {
    expect(failure(() => read(document)).code).toBe('MANIFEST_INVALID')
  })
})
