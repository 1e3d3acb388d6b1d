/** The registry client against a registry we did not write: Debian's docker-registry, filled by skopeo. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { computeDigest, formatDigest } from '../../src/registry/digest.ts'
import { ociConfigType, ociManifestType } from '../../src/registry/media-types.ts'
import { parseReference } from '../../src/registry/reference.ts'
import { createRegistryClient, type RegistryClient } from '../../src/registry/registry-client.ts'
import { createTransport, type Transport } from '../../src/registry/transport.ts'
import { hasTool } from '../fakes/tools.ts'
import { noise, rawDescriptor } from '../registry/image-fixture.ts'

const hasBoth = hasTool('docker-registry') && hasTool('skopeo')
const layerType = 'application/vnd.oci.image.layer.v1.tar+gzip'
const tar = Buffer.concat([noise(3_000_000), Buffer.alloc(1024)])
const layer = gzipSync(tar, { level: 1 })

describe.skipIf(!hasBoth)('docker-registry', () => {
  let directory: string
  let registry: ChildProcess
  let transport: Transport
  let client: RegistryClient

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'sregistry-contract-'))
    const port = await freePort()
    registry = await startRegistry(directory, port)
    transport = createTransport({ env: {} })
    client = createRegistryClient({ host: `127.0.0.1:${port}`, transport })
    await writeLayout(join(directory, 'oci'))
    for (const tag of ['v1', 'v2', 'Latest']) {
      const copy = ['copy', '--dest-tls-verify=false', `oci:${join(directory, 'oci')}:v1`]
      const run = spawnSync('skopeo', [...copy, `docker://127.0.0.1:${port}/team/app:${tag}`])
      expect(run.status, String(run.stderr)).toBe(0)
    }
  }, 60_000)

  afterAll(async () => {
    client?.close()
    await transport?.close()
    registry?.kill()
    await rm(directory, { recursive: true })
  })

  test('answers a ping', async () => {
    await client.ping()
  })

  test('resolves a tag and the digest it stands for to the same image', async () => {
    const byTag = await client.resolve(parseReference('team/app:v1'))
    const digest = byTag.manifestDigest
    const byDigest = await client.resolve({ repository: 'team/app', digest })
    expect(byDigest.manifestBytes).toEqual(byTag.manifestBytes)
    expect(byTag.config.config.Entrypoint).toEqual(['/bin/app'])
    expect(byTag.layers.map((one) => formatDigest(one.digest))).toEqual([
      formatDigest(computeDigest(layer)),
    ])
  })

  test('gives the bytes of a layer', async () => {
    const { layers } = await client.resolve(parseReference('team/app:v1'))
    const [only] = layers
    if (only === undefined) throw new Error('the image has no layer')
    const chunks: Uint8Array[] = []
    for await (const chunk of client.openBlob('team/app', only)) chunks.push(chunk)
    expect(Buffer.concat(chunks).equals(layer)).toBe(true)
  })

  test('lists tags, case kept', async () => {
    const tags: string[] = []
    for await (const tag of client.tags('team/app')) tags.push(tag)
    expect(tags.sort()).toEqual(['Latest', 'v1', 'v2'])
  })

  test.each([
    ['team/app:none', 'MANIFEST_UNKNOWN'],
    ['team/none:v1', 'NAME_UNKNOWN'],
  ])('%s is %s', async (text, code) => {
    const located = client.locate(parseReference(text))
    // which of the two a registry tells for an absent repository is its own choice
    await expect(located).rejects.toSatisfy(
      (error: { code: string }) => error.code === code || error.code === 'MANIFEST_UNKNOWN',
    )
  })

  test('has no tags of an absent repository', async () => {
    await expect(client.tags('team/none')[Symbol.asyncIterator]().next()).rejects.toMatchObject({
      code: 'NAME_UNKNOWN',
    })
  })
})

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

async function startRegistry(directory: string, port: number): Promise<ChildProcess> {
  const config = join(directory, 'config.yml')
  const storage = join(directory, 'storage')
  await writeFile(
    config,
    `version: 0.1\nlog:\n  level: info\nstorage:\n  filesystem:\n    rootdirectory: ${storage}\nhttp:\n  addr: 127.0.0.1:${port}\n`,
  )
  const registry = spawn('docker-registry', ['serve', config], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  await new Promise<void>((resolve, reject) => {
    let log = ''
    registry.stderr.on('data', (chunk: Buffer) => {
      log += chunk.toString()
      if (log.includes('listening on')) resolve()
    })
    registry.once('exit', () => reject(new Error(`docker-registry ended: ${log.slice(-500)}`)))
  })
  return registry
}

/** An OCI layout (image-spec image-layout.md) with one image under the name v1. */
async function writeLayout(directory: string): Promise<void> {
  const config = Buffer.from(
    JSON.stringify({
      os: 'linux',
      architecture: 'amd64',
      config: { Entrypoint: ['/bin/app'] },
      rootfs: { type: 'layers', diff_ids: [formatDigest(computeDigest(tar))] },
    }),
  )
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: ociManifestType,
      config: rawDescriptor(config, ociConfigType),
      layers: [rawDescriptor(layer, layerType)],
    }),
  )
  const name = { annotations: { 'org.opencontainers.image.ref.name': 'v1' } }
  const index = { schemaVersion: 2, manifests: [rawDescriptor(manifest, ociManifestType, name)] }
  await mkdir(join(directory, 'blobs', 'sha256'), { recursive: true })
  await writeFile(join(directory, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}')
  await writeFile(join(directory, 'index.json'), JSON.stringify(index))
  for (const blob of [config, manifest, layer]) {
    await writeFile(join(directory, 'blobs', 'sha256', computeDigest(blob).hex), blob)
  }
}
