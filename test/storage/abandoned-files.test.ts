import { readdirSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { removeAbandonedFiles } from '../../src/storage/abandoned-files.ts'
import { createAtomicFile } from '../../src/storage/atomic-file.ts'
import { parseTemporaryName, temporaryName } from '../../src/storage/temporary-name.ts'
import { scratchDirectory } from './node-process.ts'

let scratch: ReturnType<typeof scratchDirectory>
beforeEach(() => {
  scratch = scratchDirectory()
})
afterEach(() => scratch.remove())

const hour = 60 * 60 * 1000
const own = parseTemporaryName(temporaryName())
const nameOf = (owner: {
  host?: string
  where?: string
  pid?: number
  startTime?: string
}): string => {
  const { host, where, pid, startTime } = { ...own, ...owner }
  return `.tmp-${host}-${where}-${pid}-${startTime}-0123456789abcdef`
}

test.each([
  ['of a dead process is removed', nameOf({ pid: 2 ** 22 + 1 }), 0, true],
  ['of a process id used again is removed', nameOf({ startTime: '1' }), 0, true],
  ['of a living process stays however old', nameOf({}), 48 * hour, false],
  ['of another host stays for a day', nameOf({ host: 'node-7' }), 23 * hour, false],
  ['of another host is removed after a day', nameOf({ host: 'node-7' }), 25 * hour, true],
  [
    'of another container is not judged by its pid',
    nameOf({ where: '00000000', pid: 2 ** 22 + 1 }),
    0,
    false,
  ],
  ['of another host and the future stays', nameOf({ host: 'node-7' }), -48 * hour, false],
  ['that is not of our form stays', '.tmp-someone-else', 48 * hour, false],
  [
    'with a name of ours inside another stays',
    `x${nameOf({ pid: 2 ** 22 + 1 })}`,
    48 * hour,
    false,
  ],
])('a file %s', async (_, name, ageMs, isRemoved) => {
  const path = join(scratch.path, name)
  writeFileSync(path, 'half')
  const then = new Date(Date.now() - ageMs)
  utimesSync(path, then, then)
  expect(await removeAbandonedFiles(scratch.path)).toEqual(isRemoved ? [path] : [])
  expect(readdirSync(scratch.path)).toEqual(isRemoved ? [] : [name])
})

test('what this process is writing stays', async () => {
  const file = await createAtomicFile(join(scratch.path, 'x'), { place: 'output' })
  expect(await removeAbandonedFiles(scratch.path)).toEqual([])
  await file.abort()
})

test('a directory that is not there has nothing to clean', async () => {
  expect(await removeAbandonedFiles(join(scratch.path, 'none'))).toEqual([])
})
