/** The thread that copies keeps the promises of copying on the pool. */
import { randomBytes } from 'node:crypto'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { CopyThread } from '../../../src/image/layout/copy-thread.ts'
import type { CopiedRange } from '../../../src/image/layout/image-layout.ts'
import { copyRanges, LayerFiles } from '../../../src/image/layout/range-copy.ts'
import { withScratch } from '../packed-layers.ts'

const megabyte = 1024 * 1024
const base = 4096

/** Uneven ranges of two files, one after the other in the target, more than one report and chunk long. */
const ranges: readonly CopiedRange[] = [
  { source: 0, position: 17, sizeBytes: 20 * megabyte + 5, target: 96 },
  { source: 1, position: 3 * megabyte, sizeBytes: 1, target: 96 + 20 * megabyte + 5 },
  { source: 1, position: 0, sizeBytes: 2 * megabyte, target: 96 + 20 * megabyte + 6 },
]
const copiedBytes = 22 * megabyte + 6

type Copied = { readonly thread: CopyThread; readonly files: LayerFiles; readonly path: string }

async function withThread(target: string, work: (copied: Copied) => Promise<void>): Promise<void> {
  await withScratch(async (directory) => {
    const sources = ['first', 'second'].map((name) => join(directory, name))
    writeFileSync(sources[0] ?? '', randomBytes(21 * megabyte))
    writeFileSync(sources[1] ?? '', randomBytes(4 * megabyte))
    const path = target.startsWith('/') ? target : join(directory, target)
    const output = await open(path, target === '/dev/full' ? 'r+' : 'w+')
    const files = new LayerFiles(sources)
    await files.open()
    const thread = new CopyThread(files, output)
    try {
      await work({ thread, files, path })
    } finally {
      await thread.close()
      await thread.close()
      await files.close()
      await output.close()
    }
  })
}

const inMemory = `/dev/shm/sregistry-copied-${process.pid}`
// memory is not given back by itself when a test has failed
afterEach(() => {
  for (const path of [inMemory, `${inMemory}-pool`]) rmSync(path, { force: true })
})

test.each([
  ['past the page cache, where that can be', 'copied'],
  ['through it', inMemory],
])('what it copies %s is what the pool copies, and every byte is reported', (_, target) =>
  withThread(target, async ({ thread, files, path }) => {
    let reported = 0
    await thread.copy(ranges, {
      base,
      onBytes: (bytes) => {
        reported += bytes
      },
    })
    expect(reported).toBe(copiedBytes)
    const other = await open(`${path}-pool`, 'w+')
    await copyRanges(files, other, ranges, { base })
    await other.close()
    expect(readFileSync(path).equals(readFileSync(`${path}-pool`))).toBe(true)
  }),
)

test('a packed layer that ends early is IMAGE_INVALID and named', () =>
  withThread('copied', async ({ thread, files }) => {
    const beyond = { source: 1, position: 0, sizeBytes: 5 * megabyte, target: 0 }
    await expect(thread.copy([beyond], { base })).rejects.toMatchObject({
      code: 'IMAGE_INVALID',
      message: `the packed layer ${files.paths[1]} is cut short`,
    })
  }))

test('a full disk is told as the system tells it', () =>
  withThread('/dev/full', async ({ thread }) => {
    await expect(thread.copy(ranges, { base })).rejects.toMatchObject({
      code: 'ENOSPC',
      syscall: 'write',
      errno: expect.any(Number),
    })
  }))

test('copying that was aborted before it began writes nothing', () =>
  withThread('copied', async ({ thread, path }) => {
    const copying = thread.copy(ranges, { base, signal: AbortSignal.abort() })
    await expect(copying).rejects.toMatchObject({ code: 'CANCELLED' })
    expect(readFileSync(path).length).toBe(0)
  }))

test('a thread that copied nothing ends when it is closed', () =>
  withThread('copied', () => Promise.resolve()))

test('an abort ends the copying', () =>
  withThread('copied', async ({ thread, path }) => {
    const abort = new AbortController()
    // gigabytes, if nobody stops it; all to one place
    const one = { source: 0, position: 0, sizeBytes: megabyte, target: 0 }
    const copying = thread.copy(Array<CopiedRange>(8192).fill(one), {
      base,
      signal: abort.signal,
      onBytes: () => abort.abort(),
    })
    await expect(copying).rejects.toMatchObject({ code: 'CANCELLED' })
    expect(readFileSync(path).length).toBe(base + megabyte)
  }))

test('a packed layer that was cleaned away meanwhile is named, with the mend', async () => {
  const files = new LayerFiles(['/nowhere/sha256:8c5a.packed'])
  await expect(files.open()).rejects.toMatchObject({
    code: 'STORAGE',
    message: 'the packed layer /nowhere/sha256:8c5a.packed was removed during the pull',
    hint: 'run it again: only that layer is packed anew',
  })
  await files.close()
})
