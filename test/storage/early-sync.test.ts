import { type FileHandle, open } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { sendToDisk } from '../../src/storage/early-sync.ts'
import type * as threadFile from '../../src/storage/thread-file.ts'
import { openInThread } from '../../src/storage/thread-file.ts'
import { withScratch } from '../image/packed-layers.ts'

vi.mock('../../src/storage/thread-file.ts', async (original) => {
  const actual = await original<typeof threadFile>()
  return { ...actual, openInThread: vi.fn(actual.openInThread) }
})

async function withFile(work: (file: FileHandle, path: string) => Promise<void>): Promise<void> {
  await withScratch(async (directory) => {
    const path = join(directory, 'file')
    const file = await open(path, 'w+')
    vi.mocked(openInThread).mockClear()
    await work(file, path).finally(() => file.close())
  })
}

test('a failure to write is not taken from the fsync: the file is sent through another opening', () =>
  withFile(async (file) => {
    const own = vi.spyOn(file, 'datasync')
    await file.write('bytes')
    await sendToDisk(file.fd)
    expect(own).not.toHaveBeenCalled()
    expect(openInThread).toHaveBeenCalledOnce()
    const other = await vi.mocked(openInThread).mock.results[0]?.value
    // it was closed again
    expect(other?.fd).toBe(-1)
  }))

test('a disk that answers with an error is no failure yet, and nothing stays open', () =>
  withFile(async (file, path) => {
    const other = await openInThread(path, 'r')
    const failing = vi.spyOn(other, 'datasync').mockRejectedValue(new Error('EIO'))
    vi.mocked(openInThread).mockResolvedValueOnce(other)
    await sendToDisk(file.fd)
    expect(failing).toHaveBeenCalledOnce()
    expect(other.fd).toBe(-1)
  }))

test('where the file cannot be opened once more, that is no failure', async () => {
  await expect(sendToDisk(1_000_000)).resolves.toBeUndefined()
})
