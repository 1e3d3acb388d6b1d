import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { checkFreeSpace, freeBytes } from '../../src/storage/free-space.ts'

test('room is looked up where a directory will be made', async () => {
  const there = await freeBytes(tmpdir(), 'work')
  expect(there).toBeGreaterThan(0)
  expect(await freeBytes(join(tmpdir(), 'not/there/yet'), 'work')).toBeGreaterThan(0)
})

test('too little room names what is needed and what is free, before the work begins', async () => {
  await checkFreeSpace(tmpdir(), 1, 'work')
  const error = await checkFreeSpace(tmpdir(), 1e18, 'work').catch((e: unknown) => e)
  expect(error).toMatchObject({
    code: 'DISK_FULL',
    message: expect.stringMatching(/ has [\d.]+ MiB free and 953674316406\.3 MiB are needed$/),
    hint: expect.stringContaining('SREGISTRY_TMPDIR'),
  })
})
