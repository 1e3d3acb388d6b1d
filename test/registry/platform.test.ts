import { describe, expect, test } from 'vitest'
import type { Descriptor } from '../../src/registry/descriptor.ts'
import { computeDigest } from '../../src/registry/digest.ts'
import type { Index } from '../../src/registry/manifest.ts'
import { dockerManifestType, ociIndexType } from '../../src/registry/media-types.ts'
import {
  choosePlatform,
  fitsPlatform,
  formatPlatform,
  hostPlatform,
  parsePlatform,
} from '../../src/registry/platform.ts'

function indexOf(...entries: (string | Partial<Descriptor>)[]): Index {
  const manifests = entries.map((entry, at) => ({
    mediaType: dockerManifestType,
    digest: computeDigest(Buffer.from([at])),
    sizeBytes: at,
    ...(typeof entry === 'string' ? { platform: parsePlatform(entry) } : entry),
  }))
  return { kind: 'index', mediaType: ociIndexType, manifests, annotations: {} }
}

test.each([
  ['linux/amd64', 'linux/amd64'],
  ['amd64', 'linux/amd64'],
  ['Linux/x86_64', 'linux/amd64'],
  ['linux/aarch64', 'linux/arm64'],
  ['linux/arm64/v8', 'linux/arm64/v8'],
])('%s is read as %s', (text, expected) => {
  expect(formatPlatform(parsePlatform(text))).toBe(expected)
})

test.each([[''], ['a/b/c/d'], ['linux/'], ['linux//v8'], ['linux/am d64'], ['../x']])(
  '"%s" is no platform',
  (text) => {
    expect(() => parsePlatform(text)).toThrow('is not a platform')
  },
)

test('the host runs linux on its own processor', () => {
  expect(hostPlatform('x64')).toEqual({ os: 'linux', architecture: 'amd64' })
  expect(hostPlatform('arm64')).toEqual({ os: 'linux', architecture: 'arm64' })
})

describe('choosePlatform takes', () => {
  test.each<[string, Index, string, number]>([
    ['the one that fits', indexOf('linux/arm64', 'linux/amd64'), 'linux/amd64', 1],
    ['the first of two that fit', indexOf('linux/amd64', 'linux/amd64'), 'linux/amd64', 0],
    ['v8 of arm64 for none', indexOf('linux/arm64/v8'), 'linux/arm64', 0],
    ['none of arm64 for v8', indexOf('linux/arm64'), 'linux/arm64/v8', 0],
    [
      'the highest arm variant that runs',
      indexOf('linux/arm/v5', 'linux/arm/v6', 'linux/arm/v7'),
      'linux/arm/v6',
      1,
    ],
    ['v7 for arm without a variant', indexOf('linux/arm/v6', 'linux/arm/v7'), 'linux/arm', 1],
    ['plain amd64 before v3', indexOf('linux/amd64/v3', 'linux/amd64'), 'linux/amd64', 1],
    [
      'v2 for amd64/v3 where there is no v3',
      indexOf('linux/amd64', 'linux/amd64/v2'),
      'linux/amd64/v3',
      1,
    ],
    ['a single entry without a platform', indexOf({}), 'linux/amd64', 0],
    [
      'no attestation',
      indexOf(
        {
          platform: { os: 'linux', architecture: 'amd64' },
          annotations: { 'vnd.docker.reference.type': 'attestation-manifest' },
        },
        'linux/amd64',
      ),
      'linux/amd64',
      1,
    ],
  ])('%s', (_, index, wanted, at) => {
    expect(choosePlatform(index, parsePlatform(wanted)).sizeBytes).toBe(at)
  })
})

test('nothing that fits is told with what there is', () => {
  const unknown = { platform: { os: 'unknown', architecture: 'unknown' } }
  const index = indexOf('linux/arm64', unknown, 'windows/amd64')
  expect(() => choosePlatform(index, parsePlatform('linux/s390x'))).toThrow(
    expect.objectContaining({
      code: 'PLATFORM_MISSING',
      message: 'there is no image for linux/s390x; there is linux/arm64, windows/amd64',
      hint: 'ask for another one: --platform linux/arm64',
    }),
  )
})

test('an image for another variant still fits', () => {
  expect(fitsPlatform(parsePlatform('linux/arm64/v8'), parsePlatform('linux/arm64'))).toBe(true)
  expect(fitsPlatform(parsePlatform('linux/amd64/v3'), parsePlatform('linux/amd64'))).toBe(false)
})
