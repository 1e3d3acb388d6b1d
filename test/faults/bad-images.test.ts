/** Images that are none, or not what they say: one error that names the layer and says what to do. */
import { existsSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { noise } from '../contract/whole-image.ts'
import {
  digestText,
  imageOfBlobs,
  type LayerBlob,
  layerBlob,
  makeImage,
  type OciImage,
  ociManifestType,
} from '../fakes/oci-image.ts'
import { PullWorld, sha256OfFile } from '../fakes/pull-world.ts'
import { judge } from '../fakes/squashfs-judges.ts'
import { directory, file, hardlink, symlink, tarLayer } from '../fakes/tar-layer.ts'
import { hasTool } from '../fakes/tools.ts'
import {
  expectCompletes,
  expectNothingLeft,
  type Failure,
  failureOf,
  goodImage,
} from './failing-pulls.ts'

let world: PullWorld
let wanted: string
beforeAll(async () => {
  world = await PullWorld.start()
  await world.push('team/app', goodImage())
  wanted = sha256OfFile((await (await world.client(world.home())).pull('team/app')).path)
})
afterAll(() => world[Symbol.asyncDispose]())

const tar = tarLayer([file('a', 'a')])
const fine = layerBlob(tarLayer([file('below', noise(200_000, 'below'))]))
const rebuild = 'the image was built or stored wrongly: build and push it again'
const wrongDiffId: LayerBlob = { ...layerBlob(tar), diffId: digestText(Buffer.from('another')) }
const cut: LayerBlob = { ...layerBlob(tar), bytes: gzipSync(tar).subarray(0, 60) }
const manyOwners = Array.from({ length: 65_536 }, (_, uid) => file(`f${uid}`, '', { uid }))
const sparseBomb = file('huge', '', {
  sparse: { sizeBytes: 300 * 2 ** 30, parts: [{ offset: 0, bytes: Buffer.from('x') }] },
})

const longName = `${'n'.repeat(200)}…`

describe('a pull of', () => {
  test.each<[string, OciImage, Failure]>([
    [
      'a layer with another diff id',
      imageOfBlobs([fine, wrongDiffId]),
      [
        'DIGEST_MISMATCH',
        'layer 2/2 (DIGEST): the layer unpacks to DIGEST, its config says DIGEST',
        rebuild,
      ],
    ],
    [
      'a layer that is no archive',
      imageOfBlobs([fine, layerBlob(noise(5000, 'junk'))]),
      [
        'LAYER_INVALID',
        'layer 2/2 (DIGEST): the layer is damaged: the checksum of a tar header is wrong',
        rebuild,
      ],
    ],
    [
      'a gzip stream cut short',
      imageOfBlobs([cut]),
      [
        'LAYER_INVALID',
        'layer 1/1 (DIGEST): the layer is damaged: its gzip stream is cut or damaged',
        rebuild,
      ],
    ],
    [
      'a hard link to nothing',
      makeImage([[file('c')], [hardlink('a', 'b')]]),
      [
        'LAYER_INVALID',
        'layer 2/2 (DIGEST): "a" is a hard link to "b", which does not exist',
        rebuild,
      ],
    ],
    [
      'a hard link to a directory',
      makeImage([[directory('b'), hardlink('a', 'b')]]),
      [
        'LAYER_INVALID',
        'layer 1/1 (DIGEST): "a" is a hard link to "b", which is a directory',
        rebuild,
      ],
    ],
    [
      'an entry below a loop of symlinks',
      makeImage([[symlink('a', 'b'), symlink('b', 'a'), file('a/x')]]),
      ['LAYER_INVALID', 'layer 1/1 (DIGEST): too many symlinks on the way to "a"', rebuild],
    ],
    [
      'a root that is a file',
      makeImage([[file('.')]]),
      [
        'LAYER_INVALID',
        'layer 1/1 (DIGEST): the layer is damaged: the root of the image is a file (entry ".")',
        rebuild,
      ],
    ],
    [
      'a name of 256 bytes',
      makeImage([[file('n'.repeat(256))]]),
      [
        'LAYER_INVALID',
        `layer 1/1 (DIGEST): the layer is damaged: a name is longer than 255 bytes (entry "${longName}")`,
        rebuild,
      ],
    ],
    [
      'a file that claims too much',
      makeImage([[sparseBomb]]),
      [
        'LIMIT_EXCEEDED',
        'layer 1/1 (DIGEST): the layer unpacks to more than 274877906944 bytes (maxUnpackedBytes)',
        'if you trust this image, raise the limit',
      ],
    ],
    [
      'more layers than diff ids',
      imageOfBlobs([layerBlob(tar)], { rootfs: { type: 'layers', diff_ids: [] } }),
      [
        'MANIFEST_INVALID',
        'the config of aws://HOST/bad/more-layers-than-diff-ids has 0 diff_ids for 1 layers',
        rebuild,
      ],
    ],
    [
      'more than 65,535 owners',
      makeImage([manyOwners]),
      [
        'LIMIT_EXCEEDED',
        '/f9999: the image has more than 65535 owners',
        'a squashfs image holds at most 65,535 distinct user and group ids: pull with --all-root',
      ],
    ],
  ])('%s', async (name, image, error) => {
    const repository = `bad/${name.replace(/\W+/g, '-').replace(/^an?-/, '').toLowerCase()}`
    const home = world.home()
    await world.push(repository, image)
    expect(await failureOf((await world.client(home)).pull(repository), world)).toEqual(error)
    await expectNothingLeft(home, world)
    await expectCompletes(home, world, wanted)
  })
})

test('a layer in the cache counts only for the diff id that it has', async () => {
  const home = world.home()
  await world.push('twins/honest', imageOfBlobs([layerBlob(tar)]))
  await world.push('twins/lying', imageOfBlobs([wrongDiffId]))
  await (await world.client(home)).pull('twins/honest')
  const [code] = await failureOf((await world.client(home)).pull('twins/lying'), world)
  expect(code).toBe('DIGEST_MISMATCH')
})

type Document = { readonly name: string; readonly body: object; readonly type: string }

const config = Buffer.from('{}')
const configOf = (mediaType: string) => ({
  mediaType,
  digest: digestText(config),
  size: config.length,
})
const indexType = 'application/vnd.oci.image.index.v1+json'

describe('a manifest of', () => {
  test.each<[Document, Failure]>([
    [
      {
        name: 'helm chart',
        type: ociManifestType,
        body: {
          schemaVersion: 2,
          mediaType: ociManifestType,
          config: configOf('application/vnd.cncf.helm.config.v1+json'),
          layers: [configOf('application/vnd.cncf.helm.chart.content.v1.tar+gzip')],
        },
      },
      [
        'NOT_AN_IMAGE',
        'aws://HOST/bad/helm-chart is a Helm chart, not a container image',
        'use helm pull oci://…',
      ],
    ],
    [
      {
        name: 'attestation',
        type: ociManifestType,
        body: {
          schemaVersion: 2,
          mediaType: ociManifestType,
          config: configOf('application/vnd.oci.image.config.v1+json'),
          layers: [configOf('application/vnd.in-toto+json')],
        },
      },
      [
        'NOT_AN_IMAGE',
        'aws://HOST/bad/attestation is an attestation, not a container image',
        'use cosign verify-attestation',
      ],
    ],
  ])('$name', async ({ name, body, type }, error) => {
    const repository = `bad/${name.replace(' ', '-')}`
    await world.createRepository(repository)
    await world.pushBlob(repository, config)
    await world.pushManifest(repository, 'latest', Buffer.from(JSON.stringify(body)), type)
    const home = world.home()
    expect(await failureOf((await world.client(home)).pull(repository), world)).toEqual(error)
    await expectNothingLeft(home, world)
  })

  test('an index without this platform', async () => {
    const image = goodImage()
    await world.push('bad/platform', image, 'one')
    const platform = { os: 'linux', architecture: 's390x' }
    const size = image.manifest.length
    const digest = digestText(image.manifest)
    const manifests = [{ mediaType: ociManifestType, digest, size, platform }]
    const index = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: indexType, manifests }))
    await world.pushManifest('bad/platform', 'latest', index, indexType)
    const home = world.home()
    const pull = (await world.client(home)).pull('bad/platform', { platform: 'linux/amd64' })
    expect(await failureOf(pull, world)).toEqual([
      'PLATFORM_MISSING',
      'there is no image for linux/amd64; there is linux/s390x',
      'ask for another one: --platform linux/s390x',
    ])
    await expectNothingLeft(home, world)
  })
})

test.skipIf(!hasTool('unsquashfs'))('names that climb out stay inside', async () => {
  const outside = `${world.directory}/outside`
  await world.push(
    'odd/names',
    makeImage([[file(outside, 'absolute'), file('../../../climbed', 'up'), file('x/../y', 'y')]]),
  )
  const image = await (await world.client(world.home())).pull('odd/names')
  const listing = judge('unsquashfs', '-l', image.path).split('\n')
  const paths = [outside, '/climbed', '/y'].map((path) => `squashfs-root${path}`)
  expect(listing).toEqual(expect.arrayContaining(paths))
  expect(existsSync(outside)).toBe(false)
})
