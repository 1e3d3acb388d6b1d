/** What is kept of a repository's last image may be anything, in a cache that others write to: never a wrong image. */
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { cachedLayers, temporaryLayers } from '../../src/image/layer-store.ts'
import { recallLayout } from '../../src/image/layout/remembered-layout.ts'
import { packedLayerVersion } from '../../src/image/packed-layer-format.ts'
import { defaultBlockSize } from '../../src/image/packing-parameters.ts'
import { computeDigest } from '../../src/registry/digest.ts'
import { parseCompression } from '../../src/squashfs/compression.ts'
import { type LayerCache, layerCache } from '../../src/storage/layer-cache.ts'
import { buildImageFile, type ImageFileOptions } from '../fakes/image-file.ts'
import { makeImage, type OciImage } from '../fakes/oci-image.ts'
import { sha256OfFile, unfinishedBytes } from '../fakes/pull-world.ts'
import { file } from '../fakes/tar-layer.ts'
import { isRoot } from '../fakes/tools.ts'

const compression = 'none'
const parameters = { compression: parseCompression(compression), blockSize: defaultBlockSize }
const repository = 'registry.example/test/image'
const directory = mkdtempSync(join(tmpdir(), 'sregistry-layouts-'))

// so large that copying ahead is worth a thread
const lowest = [file('first', randomBytes(40_000_000)), file('second', randomBytes(30_000_000))]
const before = makeImage([lowest], { layerForm: 'none' })
const next = makeImage([lowest, [file('new', 'small')]], { layerForm: 'none' })
let wanted: string
beforeAll(async () => {
  const path = join(directory, 'wanted.simg')
  await buildImageFile(next, path, { compression })
  wanted = sha256OfFile(path)
  rmSync(path)
})
afterAll(() => rmSync(directory, { recursive: true }))

let caches = 0
/** A cache in which an image has been made before. */
async function usedCache(): Promise<LayerCache> {
  caches += 1
  const cache = layerCache(join(directory, `cache-${caches}`))
  await build(before, cache)
  expect(await recallLayout(cache.layoutPath(repository))).toBeDefined()
  return cache
}

async function build(
  image: OciImage,
  cache: LayerCache,
  options: ImageFileOptions = {},
  path = join(directory, 'image.simg'),
): Promise<string> {
  const work = mkdtempSync(join(directory, 'work-'))
  const onNote = () => undefined
  const store = cachedLayers(cache, parameters, { fallback: temporaryLayers(work), onNote })
  try {
    await buildImageFile(image, path, { compression, store, ...options })
    return sha256OfFile(path)
  } finally {
    rmSync(path, { force: true })
    rmSync(work, { recursive: true })
  }
}

async function rewrite(
  cache: LayerCache,
  change: (layout: { layers: string[]; ranges: number[][] }) => unknown,
): Promise<void> {
  const layout = await recallLayout(cache.layoutPath(repository))
  const ranges = (layout?.ranges ?? []).map((range) => [
    range.source,
    range.position,
    range.sizeBytes,
    range.target,
  ])
  const changed = change({ layers: [...(layout?.layers ?? [])], ranges })
  writeFileSync(cache.layoutPath(repository), JSON.stringify(changed))
}

describe('the image is the same where the layout', () => {
  let cache: LayerCache
  beforeAll(async () => {
    cache = await usedCache()
  })

  test('is that of the image before, whose data is there before the next layer is', async () => {
    let bytesAhead = 0
    const opening = async () => {
      // waited for without a limit of its own: where nothing is copied ahead, the test ends in failure
      while (bytesAhead < 70_000_000) {
        await delay(10)
        bytesAhead = unfinishedBytes(directory)
      }
    }
    expect(await build(next, cache, { opening })).toBe(wanted)
    expect(bytesAhead).toBeGreaterThanOrEqual(70_000_000)
  })

  test.each<[string, (ranges: number[][]) => number[][]]>([
    [
      'writes over what it had right',
      ([[source = 0, position = 0, size = 0, target = 0] = []]) => [
        [source, position, size / 2, target],
        [source, position + size / 2, size / 2, target],
      ],
    ],
    [
      'has everything a little further',
      (ranges) => ranges.map(([a = 0, b = 0, c = 0, d = 0]) => [a, b, c, d + 7]),
    ],
    [
      'has bytes beyond the end of the layer',
      (ranges) => ranges.map(([a = 0, b = 0, c = 0, d = 0]) => [a, b, 100 * c, d]),
    ],
    [
      'has other bytes of the layer',
      (ranges) => ranges.map(([a = 0, b = 0, c = 0, d = 0]) => [a, b + 1, c - 1, d]),
    ],
  ])('%s', async (_, changeOf) => {
    await rewrite(cache, ({ layers, ranges }) => ({ version: 1, layers, ranges: changeOf(ranges) }))
    // all of it is copied before it is known to be wrong
    expect(await build(next, cache, { delaysMs: [0, 300] })).toBe(wanted)
  })

  test.each(['', 'garbage', '{}', '[', '{"version":1,"layers":null}'])('is %j', async (text) => {
    writeFileSync(cache.layoutPath(repository), text)
    expect(await build(next, cache)).toBe(wanted)
  })
})

function lowestPath(cache: LayerCache): string {
  const digest = computeDigest(before.layers[0]?.bytes ?? Buffer.of())
  return cache.pathOf({ ...parameters, digest, formatVersion: packedLayerVersion })
}

describe('the image is the same where its lowest layer', () => {
  test.each<[string, (path: string) => void]>([
    ['is gone', () => undefined],
    ['is a pipe that nobody writes to', (path) => execFileSync('mkfifo', [path])],
    ['is a directory', (path) => mkdirSync(path)],
    ['is damaged', (path) => writeFileSync(path, 'x'.repeat(80_000_000))],
  ])('%s', async (_, make) => {
    const cache = await usedCache()
    rmSync(lowestPath(cache))
    make(lowestPath(cache))
    expect(await build(next, cache)).toBe(wanted)
  })
})

test.skipIf(!isRoot)('a disk that is full while data is copied ahead is told once', async () => {
  const cache = await usedCache()
  const small = join(directory, 'small')
  mkdirSync(small, { recursive: true })
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=40m', 'tmpfs', small])
  try {
    const path = join(small, 'image.simg')
    await expect(build(next, cache, {}, path)).rejects.toMatchObject({
      code: 'DISK_FULL',
      message: `cannot write ${path}: the disk is full`,
    })
    expect(execFileSync('ls', ['-A', small]).toString()).toBe('')
  } finally {
    // no file is open any more
    execFileSync('umount', [small])
  }
  expect(await build(next, cache)).toBe(wanted)
})
