/** Locks between processes: they save work, end with their holder, and nobody waits for ever. */
import { existsSync, readdirSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  type FileLockOptions,
  type LockHolder,
  removeDeadLock,
  takeFileLock,
} from '../../src/storage/file-lock.ts'
import { temporaryName } from '../../src/storage/temporary-name.ts'
import { compiled, runNode, scratchDirectory } from './node-process.ts'

let scratch: ReturnType<typeof scratchDirectory>
let path: string
let holders: (LockHolder | undefined)[]
beforeEach(() => {
  scratch = scratchDirectory()
  path = join(scratch.path, 'layer.lock')
  holders = []
})
afterEach(() => scratch.remove())

/** Looks often, and gives up on a lock that stands still for a quarter of a second. */
const quick = { pollMs: 5, staleMs: 250, longestMs: 60_000 }

function take(options: Partial<FileLockOptions> = {}) {
  return takeFileLock(path, {
    isDone: () => Promise.resolve(false),
    onWait: (holder) => holders.push(holder),
    times: quick,
    ...options,
  })
}

/** Names that owners elsewhere, or gone, would have left. */
const fromElsewhere = () => temporaryName().replace('.tmp-', '.tmp-elsewhere.')

describe('a lock', () => {
  test('is there while it is held, and gone after, with nothing beside it', async () => {
    const lock = await take()
    expect(readdirSync(scratch.path)).toEqual(['layer.lock'])
    await lock?.release()
    await lock?.release()
    expect(readdirSync(scratch.path)).toEqual([])
    expect(holders).toEqual([])
  })

  test('that is held is waited for until it is released; its holder is told once', async () => {
    const first = await take()
    let isTaken = false
    const second = take({ times: { ...quick, staleMs: 60_000 } }).then((lock) => {
      isTaken = true
      return lock
    })
    while (holders.length === 0) await new Promise((later) => setImmediate(later))
    expect(isTaken).toBe(false)
    await first?.release()
    const lock = await second
    expect(lock).toBeDefined()
    expect(holders).toEqual([expect.objectContaining({ pid: process.pid })])
    await lock?.release()
  })

  test('is not needed any more when the result is there', async () => {
    const first = await take()
    let looks = 0
    const isDone = () => {
      looks += 1
      return Promise.resolve(looks > 3)
    }
    expect(await take({ isDone })).toBeUndefined()
    await first?.release()
  })

  test('is not waited for by who is cancelled', async () => {
    const first = await take()
    const abort = new AbortController()
    const second = take({ signal: abort.signal, onWait: () => abort.abort() })
    await expect(second).rejects.toMatchObject({ code: 'CANCELLED' })
    await first?.release()
    expect(readdirSync(scratch.path)).toEqual([])
  })

  test('is not waited for longer than the limit', async () => {
    const first = await take()
    const times = { pollMs: 5, staleMs: 60_000, longestMs: 50 }
    expect(await take({ times })).toBeUndefined()
    expect(existsSync(path)).toBe(true)
    await first?.release()
  })
})

describe('the lock of a holder', () => {
  test('that was killed is taken at once', async () => {
    const code = `
      const { takeFileLock } = await import(${compiled('storage/file-lock.js')})
      await takeFileLock(${JSON.stringify(path)}, { isDone: async () => false, onWait: () => {} })
      process.kill(process.pid, 'SIGKILL')`
    expect(await runNode(code)).toMatchObject({ signal: 'SIGKILL' })
    expect(existsSync(path)).toBe(true)
    const lock = await take({ times: { ...quick, staleMs: 60_000 } })
    expect(lock).toBeDefined()
    expect(holders).toEqual([])
    await lock?.release()
    expect(readdirSync(scratch.path)).toEqual([])
  })

  test('on another machine is taken when it has stood still', async () => {
    writeFileSync(path, fromElsewhere())
    const lock = await take()
    expect(lock).toBeDefined()
    expect(holders).toHaveLength(1)
    await lock?.release()
  })

  test('on another machine is left while it is touched', async () => {
    writeFileSync(path, fromElsewhere())
    let looks = 0
    const isDone = () => {
      looks += 1
      utimesSync(path, looks, looks)
      return Promise.resolve(looks === 100)
    }
    expect(await take({ isDone })).toBeUndefined()
    expect(looks).toBe(100)
  })

  test('that lives and stands still is left to it, and the work is done without', async () => {
    writeFileSync(path, temporaryName())
    expect(await take()).toBeUndefined()
    expect(existsSync(path)).toBe(true)
  })

  test('that lost it to another is not released by it', async () => {
    const lock = await take()
    writeFileSync(path, fromElsewhere())
    await lock?.release()
    expect(existsSync(path)).toBe(true)
  })
})

test('where no lock can be made, the work is done without', async () => {
  path = join(scratch.path, 'missing', 'layer.lock')
  expect(await take()).toBeUndefined()
})

test('cleaning takes the locks of the dead alone', async () => {
  const lock = await take()
  await removeDeadLock(path)
  expect(existsSync(path)).toBe(true)
  await lock?.release()
  const dead = temporaryName().replace(`-${process.pid}-`, '-4194305-')
  writeFileSync(path, dead)
  await removeDeadLock(path)
  expect(readdirSync(scratch.path)).toEqual([])
})

test('of eight processes that meet a dead holder’s lock each has it once', async () => {
  const dead = temporaryName().replace(`-${process.pid}-`, '-4194305-')
  writeFileSync(path, dead)
  const code = `
    const { takeFileLock } = await import(${compiled('storage/file-lock.js')})
    const lock = await takeFileLock(${JSON.stringify(path)}, {
      isDone: async () => false, onWait: () => {},
      times: { pollMs: 5, staleMs: 60000, longestMs: 60000 },
    })
    process.stdout.write(lock === undefined ? 'without' : 'with')
    await lock?.release()`
  const ends = await Promise.all(Array.from({ length: 8 }, () => runNode(code)))
  expect(ends.map(({ stdout }) => stdout)).toEqual(Array(8).fill('with'))
  expect(readdirSync(scratch.path)).toEqual([])
})
