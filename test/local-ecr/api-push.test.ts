/** A push through the API alone: by the SDK for its errors, by the real `aws` command as teams do. */
import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  CompleteLayerUploadCommand,
  CreateRepositoryCommand,
  InitiateLayerUploadCommand,
  PutImageCommand,
  UploadLayerPartCommand,
} from '@aws-sdk/client-ecr'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { digestOf } from '../../src/local-ecr/blob-store.ts'
import { hasTool } from '../fakes/tools.ts'
import { nameOfError, run, startTemporaryEcr, type TemporaryEcr } from './temporary-ecr.ts'

const mebibyte = 2 ** 20
const manifestType = 'application/vnd.oci.image.manifest.v1+json'
let local: TemporaryEcr
beforeAll(async () => {
  local = await startTemporaryEcr()
  for (const repositoryName of ['team/app', 'team/fixed', 'team/aws']) {
    const imageTagMutability = repositoryName === 'team/fixed' ? 'IMMUTABLE' : 'MUTABLE'
    await local.client.send(new CreateRepositoryCommand({ repositoryName, imageTagMutability }))
  }
})
afterAll(() => local.close())

async function uploadParts(repositoryName: string, parts: readonly Buffer[]): Promise<string> {
  const { uploadId } = await local.client.send(new InitiateLayerUploadCommand({ repositoryName }))
  let partFirstByte = 0
  for (const layerPartBlob of parts) {
    const partLastByte = partFirstByte + layerPartBlob.byteLength - 1
    const part = { repositoryName, uploadId, partFirstByte, partLastByte, layerPartBlob }
    const { lastByteReceived } = await local.client.send(new UploadLayerPartCommand(part))
    expect(lastByteReceived).toBe(partLastByte)
    partFirstByte = partLastByte + 1
  }
  return uploadId ?? ''
}

async function upload(repositoryName: string, parts: readonly Buffer[]): Promise<string> {
  const uploadId = await uploadParts(repositoryName, parts)
  const digest = digestOf(Buffer.concat(parts))
  const input = { repositoryName, uploadId, layerDigests: [digest] }
  const done = await local.client.send(new CompleteLayerUploadCommand(input))
  expect(done.layerDigest).toBe(digest)
  return digest
}

const config = Buffer.from('{"architecture":"amd64","os":"linux","rootfs":{"type":"layers"}}')

function manifestOf(layer: string, size: number, note = ''): string {
  return JSON.stringify({
    schemaVersion: 2,
    mediaType: manifestType,
    config: {
      mediaType: 'application/vnd.oci.image.config.v1+json',
      digest: digestOf(config),
      size: config.byteLength,
    },
    layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar', digest: layer, size }],
    annotations: { note },
  })
}

const put = (repositoryName: string, imageManifest: string, more: object = {}) =>
  local.client.send(new PutImageCommand({ repositoryName, imageManifest, ...more }))

test('an image pushed part by part is there on the data plane', async () => {
  const parts = [randomBytes(10 * mebibyte), randomBytes(5 * mebibyte), randomBytes(100)]
  const layer = await upload('team/app', parts)
  await upload('team/app', [config])
  const manifest = manifestOf(layer, 15 * mebibyte + 100)
  const { image } = await put('team/app', manifest, { imageTag: 'v1' })
  expect(image?.imageId).toEqual({ imageDigest: digestOf(Buffer.from(manifest)), imageTag: 'v1' })
  expect(image?.imageManifestMediaType).toBe(manifestType)
  const pulled = await local.fetch('/v2/team/app/manifests/v1')
  expect(await pulled.text()).toBe(manifest)
  const blob = await local.fetch(`/v2/team/app/blobs/${layer}`)
  const bytes = await fetch(blob.headers.get('location') ?? '')
  expect(digestOf(Buffer.from(await bytes.arrayBuffer()))).toBe(layer)
})

describe('what ECR refuses', () => {
  const name = { repositoryName: 'team/app' }
  const complete = (uploadId: string, digest: string) =>
    local.client.send(new CompleteLayerUploadCommand({ ...name, uploadId, layerDigests: [digest] }))
  const some = Buffer.from('some bytes')

  test.each<[string, () => Promise<unknown>, string]>([
    [
      'an upload that is not open',
      () => complete('none', digestOf(some)),
      'UploadNotFoundException',
    ],
    [
      'an upload without a part',
      async () => complete(await uploadParts('team/app', []), digestOf(some)),
      'EmptyUploadException',
    ],
    [
      'another digest than that of the bytes',
      async () => complete(await uploadParts('team/app', [some]), digestOf(config)),
      'InvalidLayerException',
    ],
    [
      'a small part that is not the last',
      async () => complete(await uploadParts('team/app', [some, some]), digestOf(some)),
      'LayerPartTooSmallException',
    ],
    [
      'a layer that is there',
      async () => complete(await uploadParts('team/app', [config]), digestOf(config)),
      'LayerAlreadyExistsException',
    ],
    [
      'a part that leaves a gap',
      async () => {
        const uploadId = await uploadParts('team/app', [])
        const part = { uploadId, partFirstByte: 5, partLastByte: 14, layerPartBlob: some }
        return local.client.send(new UploadLayerPartCommand({ ...name, ...part }))
      },
      'InvalidLayerPartException',
    ],
    [
      'a manifest whose layer is missing',
      () => put('team/app', manifestOf(digestOf(Buffer.from('absent')), 6)),
      'LayersNotFoundException',
    ],
    [
      'an index whose image is missing',
      () => {
        const child = { mediaType: manifestType, digest: digestOf(some), size: 10 }
        const mediaType = 'application/vnd.oci.image.index.v1+json'
        return put('team/app', JSON.stringify({ schemaVersion: 2, mediaType, manifests: [child] }))
      },
      'ReferencedImagesNotFoundException',
    ],
    ['no manifest', () => put('team/app', 'nonsense'), 'InvalidParameterException'],
    [
      'another digest than that of the manifest',
      () => put('team/app', manifestOf(digestOf(some), 10), { imageDigest: digestOf(some) }),
      'ImageDigestDoesNotMatchException',
    ],
  ])('%s', async (_, push, expected) => {
    expect(await nameOfError(push())).toBe(expected)
  })

  test('the same image and tag again, and another under a tag that is fixed', async () => {
    const layer = await upload('team/fixed', [some])
    await upload('team/fixed', [config])
    const tag = { imageTag: '1' }
    await put('team/fixed', manifestOf(layer, 10), tag)
    expect(await nameOfError(put('team/fixed', manifestOf(layer, 10), tag))).toBe(
      'ImageAlreadyExistsException',
    )
    expect(await nameOfError(put('team/fixed', manifestOf(layer, 10, 'other'), tag))).toBe(
      'ImageTagAlreadyExistsException',
    )
  })

  test('who may not push', async () => {
    const undo = local.ecr.policy.deny({ action: 'InitiateLayerUpload' })
    expect(await nameOfError(uploadParts('team/app', []))).toBe('AccessDeniedException')
    undo()
  })
})

test.skipIf(!hasTool('aws'))('the aws command pushes a layer and an image', async () => {
  const aws = async (command: string, ...args: readonly string[]) => {
    const all = ['--endpoint-url', local.ecr.apiUrl, '--output', 'json', 'ecr', command]
    const name = ['--repository-name', 'team/aws']
    const env = local.awsEnvironment()
    return JSON.parse((await run('aws', [...all, ...name, ...args], { env })).stdout)
  }
  const push = async (bytes: Buffer) => {
    const path = join(local.root, 'part')
    await writeFile(path, bytes)
    const id = ['--upload-id', (await aws('initiate-layer-upload')).uploadId]
    const range = ['--part-first-byte', '0', '--part-last-byte', String(bytes.byteLength - 1)]
    await aws('upload-layer-part', ...id, ...range, '--layer-part-blob', `fileb://${path}`)
    const digest = digestOf(bytes)
    const done = await aws('complete-layer-upload', ...id, '--layer-digests', digest)
    expect(done.layerDigest).toBe(digest)
  }
  const layer = Buffer.from('a layer by aws')
  await push(layer)
  await push(config)
  const manifest = manifestOf(digestOf(layer), layer.byteLength)
  await aws('put-image', '--image-tag', 'by-aws', '--image-manifest', manifest)
  const { imageDetails } = await aws('describe-images')
  expect(imageDetails[0].imageTags).toEqual(['by-aws'])
})
