import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { temporaryName } from '../../src/storage/temporary-name.ts'
import { removeOpenWork } from '../../src/storage/unfinished-work.ts'
import { withWork } from '../../src/storage/work-directory.ts'

let parent: string
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'sregistry-work-'))
})
afterEach(() => rmSync(parent, { recursive: true, force: true }))

test('work has a directory of its own, which is gone afterwards, also after a failure', async () => {
  const failing = withWork(parent, 'work', async (directory) => {
    writeFileSync(join(directory, 'file'), 'x')
    throw new Error('the work failed')
  })
  await expect(failing).rejects.toThrow('the work failed')
  expect(readdirSync(parent)).toEqual([])
})

test('the work of a dead process goes, that of a living one and foreign directories stay', async () => {
  const own = temporaryName()
  const dead = own.replace(/-\d+-\d+-([0-9a-f]{16})$/, '-4194304-1-$1')
  for (const name of [dead, own, 'sregistry-data', '.tmp-mine']) {
    mkdirSync(join(parent, name))
    writeFileSync(join(parent, name, 'file'), 'x')
  }
  await withWork(parent, 'work', async () => undefined)
  expect(readdirSync(parent).sort()).toEqual(['.tmp-mine', own, 'sregistry-data'].sort())
})

test('a signal removes what is open at once', async () => {
  await withWork(parent, 'work', async (directory) => {
    removeOpenWork()
    expect(existsSync(directory)).toBe(false)
  })
})
