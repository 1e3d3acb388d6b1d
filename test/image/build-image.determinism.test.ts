/** The same image gives the same file, whatever came first and however much was done at once. */
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { wholeImage } from '../contract/whole-image.ts'
import { buildImageFile, type ImageFileOptions } from '../fakes/image-file.ts'
import { makeImage, ociManifestType } from '../fakes/oci-image.ts'
import { type Home, PullWorld, sha256OfFile } from '../fakes/pull-world.ts'
import { file, type LayerEntry, whiteout } from '../fakes/tar-layer.ts'
import { run } from '../local-ecr/temporary-ecr.ts'

const image = wholeImage()
const directory = mkdtempSync(join(tmpdir(), 'sregistry-same-'))
let wanted: string
beforeAll(async () => {
  wanted = await sha256Of({})
})
afterAll(() => rmSync(directory, { recursive: true }))

async function sha256Of(options: ImageFileOptions): Promise<string> {
  const path = join(directory, 'image.simg')
  await buildImageFile(image, path, options)
  return sha256OfFile(path)
}

test.each<[string, ImageFileOptions]>([
  ['the lowest layer arrives last', { delaysMs: [60, 30, 0] }],
  ['the highest layer arrives last', { delaysMs: [0, 30, 60] }],
  ['one layer at a time', { maxLayers: 1 }],
  ['more workers than layers', { maxLayers: 9 }],
])('%s', async (_, options) => {
  expect(await sha256Of(options)).toBe(wanted)
})

test('another time of the image is another file', async () => {
  expect(await sha256Of({ sourceDateEpoch: 1 })).not.toBe(wanted)
})

test('pulled cold and from the cache, with one thread and with eight', async () => {
  const world = await PullWorld.start()
  try {
    await world.push('team/app', image)
    const home = world.home()
    const cold = sha256OfFile((await (await world.client(home)).pull('team/app')).path)
    const warm = await (await world.client(home)).pull('team/app', { name: 'warm' })
    expect(home.layers()).toHaveLength(3)
    expect(sha256OfFile(warm.path)).toBe(cold)
    for (const threads of ['1', '8']) {
      const path = join(directory, `threads-${threads}.simg`)
      await pullInProcess(path, { ...world.home().env, UV_THREADPOOL_SIZE: threads })
      expect(sha256OfFile(path)).toBe(cold)
    }
  } finally {
    await world[Symbol.asyncDispose]()
  }
})

test.each<[string, readonly LayerEntry[]]>([
  ['adds a file', [file('new', 'small')]],
  ['hides what lies first', [whiteout('first'), file('new', 'small')]],
])('a new tag that %s is copied ahead to the same bytes', async (_, layer) => {
  await using world = await PullWorld.start()
  // so large that copying ahead is worth a thread
  const large = [file('first', randomBytes(1_000_000)), file('large', randomBytes(70_000_000))]
  const next = makeImage([large, layer], { layerForm: 'none' })
  await world.push('team/app', makeImage([large], { layerForm: 'none' }))
  for (const bytes of [next.layers[1]?.bytes ?? next.config, next.config]) {
    await world.pushBlob('team/app', bytes)
  }
  await world.pushManifest('team/app', 'next', next.manifest, ociManifestType)
  const [home, other] = [world.home(), world.home()]
  const pull = async (from: Home, tag: string) =>
    sha256OfFile(
      (await (await world.client(from)).pull(`team/app:${tag}`, { compression: 'none' })).path,
    )
  await pull(home, 'latest')
  expect(home.layouts()).toHaveLength(1)
  expect(await pull(home, 'next')).toBe(await pull(other, 'next'))
})

async function pullInProcess(path: string, env: NodeJS.ProcessEnv): Promise<void> {
  const program = resolve(import.meta.dirname, '../../bin/sregistry.js')
  await run(process.execPath, [program, 'pull', '--no-cache', '--name', path, 'team/app'], { env })
}
