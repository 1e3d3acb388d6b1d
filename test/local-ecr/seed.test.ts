import { existsSync, lstatSync, readFileSync, statSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { BatchDeleteImageCommand } from '@aws-sdk/client-ecr'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { digestOf } from '../../src/local-ecr/blob-store.ts'
import { hasTool, isRoot } from '../fakes/tools.ts'
import { blobUrl, manifestOf, run, startTemporaryEcr, type TemporaryEcr } from './temporary-ecr.ts'

let local: TemporaryEcr
let seedMs: number
beforeAll(async () => {
  const start = performance.now()
  local = await startTemporaryEcr({ seed: true })
  seedMs = performance.now() - start
})
afterAll(() => local.close())

async function blob(name: string, digest: string): Promise<Buffer> {
  return Buffer.from(await (await fetch(await blobUrl(local, name, digest))).arrayBuffer())
}

/** Names in a layer, as tar lists them. */
async function layerNames(name: string, digest: string): Promise<string[]> {
  const path = join(local.root, `${digest}.tar.gz`)
  await writeFile(path, await blob(name, digest))
  return (await run('tar', ['-tzf', path])).stdout.trim().split('\n')
}

test('seeding is quick', () => {
  expect(seedMs).toBeLessThan(5000)
})

test.each([
  ['library/busybox', 'latest'],
  ['library/debian-tools', '12'],
  ['science/hello', '1.0'],
  ['science/hello', '1.1'],
])('%s:%s has the diff ids that its layers unpack to', async (name, tag) => {
  const manifest = await manifestOf(local, name, tag)
  const config = JSON.parse((await blob(name, manifest.config.digest)).toString())
  const diffIds: string[] = []
  for (const { digest, size } of manifest.layers) {
    const bytes = await blob(name, digest)
    expect(bytes.length).toBe(size)
    diffIds.push(digestOf(gunzipSync(bytes)))
  }
  expect(config.rootfs.diff_ids).toEqual(diffIds)
  expect(diffIds.length).toBeGreaterThan(1)
})

test('two tags of science/hello differ in one small layer', async () => {
  const [old, next] = [
    await manifestOf(local, 'science/hello', '1.0'),
    await manifestOf(local, 'science/hello', '1.1'),
  ]
  expect(next.layers[0]).toEqual(old.layers[0])
  expect(next.layers[1]?.digest).not.toBe(old.layers[1]?.digest)
  expect(next.layers[1]?.size).toBeLessThan(2000)
})

test('the layers of busybox hold a whiteout and a hard link', async () => {
  const { layers } = await manifestOf(local, 'library/busybox', 'latest')
  const [lower = [], upper = []] = await Promise.all(
    layers.map(({ digest }) => layerNames('library/busybox', digest)),
  )
  expect(lower).toContain('usr/share/doc/obsolete.txt')
  expect(upper).toContain('usr/share/doc/.wh.obsolete.txt')
  expect(upper).toContain('usr/local/bin/welcome')
})

test('library/multi is an index of two platforms, this machine’s first', async () => {
  const response = await local.fetch('/v2/library/multi/manifests/latest')
  expect(response.headers.get('content-type')).toBe('application/vnd.oci.image.index.v1+json')
  const index = (await response.json()) as { manifests: { platform: { architecture: string } }[] }
  const architectures = index.manifests.map((one) => one.platform.architecture)
  expect(architectures).toHaveLength(2)
  expect(architectures[0]).toBe(process.arch === 'x64' ? 'amd64' : process.arch)
})

test('the same machine gives the same images', async () => {
  const other = await startTemporaryEcr({ seed: true })
  try {
    for (const name of [
      'library/busybox:latest',
      'library/debian-tools:12',
      'library/multi:latest',
    ]) {
      const path = `/v2/${name.replace(':', '/manifests/')}`
      expect(await (await other.fetch(path)).text()).toBe(await (await local.fetch(path)).text())
    }
  } finally {
    await other.close()
  }
})

test('a store is seeded once: what was deleted stays deleted', async () => {
  const first = await startTemporaryEcr({ seed: true })
  const input = { repositoryName: 'science/hello', imageIds: [{ imageTag: '1.0' }] }
  await first.client.send(new BatchDeleteImageCommand(input))
  await first.ecr.close()
  const start = performance.now()
  const second = await startTemporaryEcr({ root: first.root, seed: true })
  const restartMs = performance.now() - start
  try {
    expect((await second.fetch('/v2/science/hello/manifests/1.0')).status).toBe(404)
    expect((await second.fetch('/v2/science/hello/manifests/1.1')).status).toBe(200)
    expect(restartMs).toBeLessThan(seedMs)
  } finally {
    await second.close()
    await first.close()
  }
})

describe.skipIf(!hasTool('tar') || !isRoot)('as root, in the unpacked tree', () => {
  async function unpack(name: string, tag: string): Promise<string> {
    const root = join(local.root, `tree-${name.replace('/', '-')}-${tag}`)
    await mkdir(root)
    for (const { digest } of (await manifestOf(local, name, tag)).layers) {
      const path = join(local.root, 'layer.tar.gz')
      await writeFile(path, await blob(name, digest))
      await run('tar', ['-xzpf', path, '-C', root])
    }
    return root
  }
  async function inside(root: string, ...command: string[]): Promise<string> {
    const env = { PATH: '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin', GREETING: 'Hello' }
    return (await run('chroot', [root, ...command], { env })).stdout
  }

  test('busybox runs, and its hard link is one file', async () => {
    const root = await unpack('library/busybox', 'latest')
    expect(await inside(root, 'sh', '-c', 'echo "$((6 * 7))"; cat /etc/motd')).toBe(
      '42\nseeded by sregistry local-ecr\n',
    )
    expect(await inside(root, '/usr/local/bin/welcome')).toMatch(/^Hello from Linux on /)
    const [greet, welcome] = ['greet', 'welcome'].map((name) =>
      lstatSync(`${root}/usr/local/bin/${name}`),
    )
    expect(welcome?.ino).toBe(greet?.ino)
    expect(statSync(`${root}/tmp`).mode & 0o7777).toBe(0o1777)
  })

  test('every dynamically linked tool finds its libraries', async () => {
    const root = await unpack('library/debian-tools', '12')
    const tools = [
      'ls /',
      'cat /etc/passwd',
      'env',
      'id',
      'uname -s',
      'grep root /etc/passwd',
      'sed -n 1p /etc/passwd',
      'sort /etc/passwd',
      'cp /etc/passwd /tmp/p',
      'find /etc/passwd',
      'date',
      'df --help',
    ]
    const present = tools.filter((tool) => existsSync(join(root, 'bin', tool.split(' ')[0] ?? '')))
    expect(present.length).toBeGreaterThan(5)
    for (const tool of present) await inside(root, 'sh', '-c', tool)
    expect(await readFile(join(root, 'tmp', 'p'), 'utf8')).toContain('root:x:0:0')
    expect(readFileSync(join(root, 'etc', 'os-release'))).toEqual(readFileSync('/etc/os-release'))
  })

  test('hello says its version', async () => {
    const root = await unpack('science/hello', '1.1')
    expect(await inside(root, '/usr/local/bin/hello', 'there')).toBe(
      'Hello, there: science/hello 1.1\n',
    )
  })
})
