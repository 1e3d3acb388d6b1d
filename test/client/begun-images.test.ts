/** A new tag is begun as soon as its layers are named, before its config is there. */
import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { formatPlatform, hostPlatform } from '../../src/registry/platform.ts'
import { AtomicFile } from '../../src/storage/atomic-file.ts'
import { digestText, makeImage, ociManifestType } from '../fakes/oci-image.ts'
import { type Home, PullWorld, sha256OfFile, unfinishedBytes } from '../fakes/pull-world.ts'
import { file } from '../fakes/tar-layer.ts'

// so large that it is worth a thread
const dataBytes = 70_000_000
const lowest = [file('data', randomBytes(dataBytes))]
const before = makeImage([lowest], { layerForm: 'none' })
const next = makeImage([lowest, [file('implied/new', 'small')]], { layerForm: 'none' })

let world: PullWorld
let home: Home
let wanted: string
beforeAll(async () => {
  world = await PullWorld.start()
  await world.push('team/large', before)
  for (const { bytes } of next.layers) await world.pushBlob('team/large', bytes)
  await world.pushBlob('team/large', next.config)
  await world.pushManifest('team/large', 'next', next.manifest, ociManifestType)
  await world.pushManifest('team/large', 'many', indexOf(next.manifest), indexType)
  wanted = sha256OfFile((await (await world.client(world.home())).pull('team/large:next')).path)
  home = world.home()
  await (await world.client(home)).pull('team/large')
})
afterAll(() => world[Symbol.asyncDispose]())
afterEach(() => {
  vi.restoreAllMocks()
  world.local.ecr.faults.clear()
})

const indexType = 'application/vnd.oci.image.index.v1+json'

function indexOf(manifest: Uint8Array): Buffer {
  const [os, architecture] = formatPlatform(hostPlatform()).split('/')
  const entry = {
    mediaType: ociManifestType,
    digest: digestText(manifest),
    size: manifest.length,
    platform: { os, architecture },
  }
  return Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: indexType, manifests: [entry] }))
}

/** Ends when all that the image has in common with the one before is there; the test's time limit ends it too. */
async function isCopied(): Promise<void> {
  while (unfinishedBytes(home.in('storage')) < dataBytes) await delay(10)
}

test.each(['next', 'many'])('%s is copied while its config is on the way', async (tag) => {
  world.local.ecr.faults.add({
    operation: 'Download',
    fault: { kind: 'stall', afterBytes: 0 },
    times: 1,
  })
  const client = await world.client(home)
  const abort = new AbortController()
  const pulling = client.pull(`team/large:${tag}`, { signal: abort.signal })
  await isCopied()
  abort.abort()
  await expect(pulling).rejects.toMatchObject({ code: 'CANCELLED' })
  expect(home.leftovers()).toEqual([])
})

test('what was copied is thrown away where the config is not what its digest says', async () => {
  // slow, so that there is time to copy
  world.local.ecr.faults.add({
    operation: 'Download',
    fault: { kind: 'slow', bytesPerSecond: 200 },
  })
  world.local.ecr.faults.add({ operation: 'Download', fault: { kind: 'wrong-byte', at: 0 } })
  const pulling = (await world.client(home)).pull('team/large:next')
  pulling.catch(() => undefined)
  await isCopied()
  await expect(pulling).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' })
  expect(home.leftovers()).toEqual([])
  expect(home.images()).toHaveLength(1)
})

test.each([
  ['next', {}],
  ['many', { name: 'many.simg' }],
])('%s is the image that it would be without', async (tag, options) => {
  const { path } = await (await world.client(home)).pull(`team/large:${tag}`, options)
  expect(sha256OfFile(path)).toBe(wanted)
  expect(home.leftovers()).toEqual([])
})

test('it is made again when its name was taken and is free again', async () => {
  const { publish } = AtomicFile.prototype
  let rounds = 0
  vi.spyOn(AtomicFile.prototype, 'publish').mockImplementation(function (this: AtomicFile) {
    if (!this.target.endsWith('again.simg')) return publish.call(this)
    rounds += 1
    return rounds === 1 ? Promise.resolve('existed') : publish.call(this)
  })
  const { path } = await (await world.client(home)).pull('team/large:next', { name: 'again.simg' })
  expect(rounds).toBe(2)
  expect(sha256OfFile(path)).toBe(wanted)
  expect(home.leftovers()).toEqual([])
})
