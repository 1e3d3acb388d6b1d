import { existsSync, mkdirSync, readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  type CachedLayer,
  type CleanOptions,
  entriesToRemove,
  type LayerCacheKey,
  layerCache,
  layerFileName,
} from '../../src/storage/layer-cache.ts'
import { temporaryName } from '../../src/storage/temporary-name.ts'
import { scratchDirectory } from './node-process.ts'

let scratch: ReturnType<typeof scratchDirectory>
beforeEach(() => {
  scratch = scratchDirectory()
})
afterEach(() => scratch.remove())

const key: LayerCacheKey = {
  digest: { algorithm: 'sha256', hex: '8c5a7da1'.repeat(8) },
  compression: { kind: 'gzip', level: 5 },
  blockSize: 131_072,
  formatVersion: 1,
}
const hour = 60 * 60 * 1000

async function put(name: LayerCacheKey, text: string): Promise<string> {
  const cache = layerCache(scratch.path)
  const file = await cache.create(name)
  await file.write(Buffer.from(text))
  expect(await file.commit({ replace: false })).toBe('committed')
  return file.target
}

function age(path: string, ageMs: number): void {
  const then = new Date(Date.now() - ageMs)
  utimesSync(path, then, then)
}

test('the file’s name holds all that decides its bytes', () => {
  expect(layerFileName(key)).toBe(
    `sha256:${key.digest.hex}.gzip-5.131072.v1.zlib-${process.versions.zlib?.toLowerCase()}.packed`,
  )
  const others: LayerCacheKey[] = [
    { ...key, digest: { algorithm: 'sha256', hex: '0'.repeat(64) } },
    { ...key, compression: { kind: 'gzip', level: 6 } },
    { ...key, compression: { kind: 'zstd', level: 5 } },
    { ...key, compression: { kind: 'none', level: 0 } },
    { ...key, blockSize: 65_536 },
    { ...key, formatVersion: 2 },
  ]
  expect(new Set([key, ...others].map(layerFileName)).size).toBe(7)
  for (const name of others.map(layerFileName)) expect(name).toBe(name.toLowerCase())
})

describe('a layer in the cache', () => {
  test('is missed before and found after it is committed, and marked as used', async () => {
    const cache = layerCache(scratch.path)
    expect(await cache.find(key)).toBeUndefined()
    const path = await put(key, 'packed')
    expect(path.startsWith(join(scratch.path, 'docker/sha256:'))).toBe(true)
    age(path, 5 * hour)
    expect(await cache.find(key)).toMatchObject({ path, sizeBytes: 6, isOwn: true })
    expect(Date.now() - statSync(path).mtimeMs).toBeLessThan(hour)
    expect(statSync(join(scratch.path, 'docker')).mode & 0o777).toBe(0o700)
  })

  test('made twice is kept once', async () => {
    const path = await put(key, 'first')
    const second = await layerCache(scratch.path).create(key)
    await second.write(Buffer.from('second'))
    expect(await second.commit({ replace: false })).toBe('existed')
    expect(statSync(path).size).toBe(5)
    expect(readdirSync(join(scratch.path, 'docker'))).toHaveLength(1)
  })

  test('that is damaged is taken away whole', async () => {
    await put(key, 'damaged')
    const cache = layerCache(scratch.path)
    await cache.discard(key)
    await cache.discard(key)
    expect(await cache.find(key)).toBeUndefined()
    expect(readdirSync(cache.directory)).toEqual([])
  })
})

describe('cleaning', () => {
  test('lists and counts our entries alone, longest unused first', async () => {
    const cache = layerCache(scratch.path)
    expect(await cache.list()).toEqual([])
    const [old, young] = [await put(key, 'old'), await put({ ...key, formatVersion: 2 }, 'young')]
    age(old, hour)
    writeFileSync(join(cache.directory, 'sha256:0.tar.gz'), 'the ancestor’s')
    mkdirSync(join(cache.directory, 'directory.packed'))
    expect((await cache.list()).map(({ path }) => path)).toEqual([old, young])
    expect(await cache.sizeBytes()).toBe(8)
  })

  test('removes old entries and leavings of the dead, and spares the young and the foreign', async () => {
    const cache = layerCache(scratch.path)
    const [old, young] = [await put(key, 'old'), await put({ ...key, formatVersion: 2 }, 'young')]
    const foreign = join(cache.directory, 'sha256:0.tar.gz')
    writeFileSync(foreign, 'the ancestor’s')
    for (const path of [old, foreign]) age(path, 48 * hour)
    const dead = temporaryName().replace(`-${process.pid}-`, '-4194305-')
    writeFileSync(`${old}.lock`, dead)
    const result = await cache.clean({ olderMs: 24 * hour, maxBytes: 0 })
    expect(result.removed.map(({ path }) => path)).toEqual([old])
    expect(result).toMatchObject({ freedBytes: 3, keptBytes: 5 })
    expect([old, young, foreign].map((path) => existsSync(path))).toEqual([false, true, true])
    expect(readdirSync(cache.directory)).toHaveLength(2)
  })

  const entry = (name: string, sizeBytes: number, usedMs: number): CachedLayer => {
    return { path: name, sizeBytes, usedMs, isOwn: true }
  }
  const entries = [entry('b', 30, 2 * hour), entry('a', 20, hour), entry('c', 50, 9.5 * hour)]
  type Case = [rule: string, options: CleanOptions & { now?: number }, removed: string[]]
  test.each<Case>([
    ['no rule removes nothing', {}, []],
    ['by age', { olderMs: 8.5 * hour }, ['a']],
    ['by age, exactly', { olderMs: 8 * hour }, ['a', 'b']],
    ['by size, longest unused first', { maxBytes: 80 }, ['a']],
    ['by size, no more than needed', { maxBytes: 79 }, ['a', 'b']],
    ['the young are spared whatever the size', { maxBytes: 0 }, ['a', 'b']],
    ['unless their age is said to matter less', { maxBytes: 0, spareMs: 0 }, ['a', 'b', 'c']],
    ['ages from the future are young', { maxBytes: 0, now: -hour }, []],
  ])('%s', (_, { now = 10 * hour, ...options }, expected) => {
    expect(entriesToRemove(entries, now, options).map(({ path }) => path)).toEqual(expected)
  })
})

test('cleaning takes away how images were laid out: their layers may be gone', async () => {
  const cache = layerCache(scratch.path)
  await put(key, 'layer')
  const path = cache.layoutPath('registry.example/team/app')
  expect(cache.layoutPath('registry.example/team/other')).not.toBe(path)
  expect(path).not.toContain('team')
  writeFileSync(path, '{}')
  await cache.clean()
  expect(existsSync(path)).toBe(false)
  expect(await cache.list()).toHaveLength(1)
})
