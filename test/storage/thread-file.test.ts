import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type OpenFile, openInThread } from '../../src/storage/thread-file.ts'
import { withScratch } from '../image/packed-layers.ts'

function withFile(work: (file: OpenFile, path: string) => Promise<void>): Promise<void> {
  return withScratch(async (directory) => {
    const path = join(directory, 'file')
    const file = await openInThread(path, 'w+')
    await work(file, path).finally(() => file.close())
  })
}

test('reads and writes where it is told', () =>
  withFile(async (file, path) => {
    expect(await file.write(Buffer.from('-hello-'), 1, 5, 3)).toMatchObject({ bytesWritten: 5 })
    expect(await file.writev([Buffer.from('a'), Buffer.from('bc')], 0)).toMatchObject({
      bytesWritten: 3,
    })
    await file.truncate(7)
    await file.datasync()
    expect(readFileSync(path, 'latin1')).toBe('abchell')
    expect((await file.stat()).size).toBe(7)
    const buffer = Buffer.alloc(4)
    expect(await file.read(buffer, 1, 3, 5)).toMatchObject({ bytesRead: 2 })
    expect(buffer.toString('latin1')).toBe('\0ll\0')
  }))

test('closing waits for what is under way, and is harmless twice', () =>
  withFile(async (file, path) => {
    const writing = file.write(Buffer.alloc(20_000_000, 'x'), 0, 20_000_000, 0)
    const closing = file.close()
    expect(file.fd).toBe(-1)
    await expect(writing).resolves.toMatchObject({ bytesWritten: 20_000_000 })
    await closing
    await file.close()
    expect(readFileSync(path)).toHaveLength(20_000_000)
  }))

test('a file that cannot be opened is told as node:fs tells it', async () => {
  await expect(openInThread('/nowhere/file', 'r')).rejects.toMatchObject({ code: 'ENOENT' })
})
