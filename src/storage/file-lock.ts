/**
 * Locks that are files, so that processes which share a directory do the same work once (FAULTS § 4.4). They
 * only save work and never guard correctness: on file systems where they do not work, and after every
 * wait that lasts too long, the work is done twice and comes out the same.
 */
import { link, lstat, open, readFile, rename, unlink, utimes } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { cancelled, throwIfCancelled } from '../errors/cancelled.ts'
import { isDiskError } from './disk-error.ts'
import {
  ownerState,
  parseTemporaryName,
  type TemporaryOwner,
  temporaryName,
} from './temporary-name.ts'
import { openTemporaries } from './unfinished-work.ts'

export type FileLockOptions = {
  /** Looked at now and then: true ends the wait, because the holder's result is there. */
  readonly isDone: () => Promise<boolean>
  /** Told once, when another holds it; undefined where the lock does not say who. */
  readonly onWait: (holder: LockHolder | undefined) => void
  readonly times?: LockTimes
  readonly signal?: AbortSignal | undefined
}

export type LockHolder = Pick<TemporaryOwner, 'host' | 'pid'>

export type LockTimes = {
  /** Between two looks. */
  readonly pollMs: number
  /** A lock that its holder has not touched for so long, by the waiter's own clock, is not waited for. */
  readonly staleMs: number
  /** Nobody waits longer than this. */
  readonly longestMs: number
}

const usualTimes: LockTimes = { pollMs: 200, staleMs: 60_000, longestMs: 60 * 60_000 }
const heartbeatMs = 10_000

/** What `takeFileLock` gives: release it when the work is done; twice is harmless. */
export type FileLock = { release(): Promise<void> }

/**
 * Takes the lock of this path, waiting for whoever holds it. A holder that is dead loses it at once; one
 * on another machine, or one that stands still, when it has not touched it for a minute.
 * @returns undefined when the work is to be done without the lock, or is done: the result tells.
 * @throws {SregistryError} CANCELLED.
 */
export async function takeFileLock(
  path: string,
  options: FileLockOptions,
): Promise<FileLock | undefined> {
  const times = options.times ?? usualTimes
  const endMs = performance.now() + times.longestMs
  const attempt = new Attempt(path, times, options.onWait)
  for (;;) {
    throwIfCancelled(options.signal, waiting)
    const outcome = await attempt.make()
    if (outcome !== 'wait') return outcome
    if (performance.now() > endMs || (await options.isDone())) return undefined
    await pauseFor(times.pollMs, options.signal)
  }
}

class Attempt {
  readonly #path: string
  readonly #times: LockTimes
  readonly #onWait: FileLockOptions['onWait']
  readonly #watch = new Watch()
  #isTold = false

  constructor(path: string, times: LockTimes, onWait: FileLockOptions['onWait']) {
    this.#path = path
    this.#times = times
    this.#onWait = onWait
  }

  async make(): Promise<FileLock | 'wait' | undefined> {
    const seen = await look(this.#path)
    if (seen === undefined) return place(this.#path)
    const state = this.#watch.judge(seen, this.#times)
    if (state === 'stuck') return undefined
    if (state === 'abandoned') {
      await takeAway(this.#path, seen)
      return place(this.#path)
    }
    if (!this.#isTold) this.#onWait(seen.owner)
    this.#isTold = true
    return 'wait'
  }
}

const waiting = 'waiting for another pull'

async function pauseFor(ms: number, signal: AbortSignal | undefined): Promise<void> {
  await pause(ms, undefined, signal === undefined ? {} : { signal }).catch(() => {
    throw cancelled(waiting, signal?.reason)
  })
}

/** Removes a lock whose holder has died. */
export async function removeDeadLock(path: string): Promise<void> {
  const seen = await look(path)
  if (seen?.owner !== undefined && ownerState(seen.owner) === 'dead') await takeAway(path, seen)
}

/** Puts our name there; `wait` when another's is, undefined when this directory takes no locks. */
async function place(path: string): Promise<FileLock | 'wait' | undefined> {
  const name = temporaryName()
  const draft = join(dirname(path), name)
  openTemporaries.add(draft)
  try {
    const handle = await open(draft, 'wx', 0o644)
    try {
      await handle.writeFile(name)
      await link(draft, path).catch(async (error: unknown) => {
        // on NFS the link may be made and only the answer lost
        if ((await handle.stat()).nlink !== 2) throw error
      })
    } finally {
      await handle.close()
    }
    return new HeldLock(path, name)
  } catch (error) {
    if (isDiskError(error, 'EEXIST')) return 'wait'
    // read-only, full, without links: then the work is done without a lock
    return undefined
  } finally {
    await unlink(draft).catch(() => undefined)
    openTemporaries.delete(draft)
  }
}

class HeldLock implements FileLock {
  readonly #path: string
  readonly #name: string
  readonly #heartbeat: NodeJS.Timeout

  constructor(path: string, name: string) {
    this.#path = path
    this.#name = name
    this.#heartbeat = setInterval(() => {
      const now = new Date()
      // taken from us, or the disk fails: the work goes on all the same
      utimes(path, now, now).catch(() => undefined)
    }, heartbeatMs)
    this.#heartbeat.unref()
    // a signal that ends the process takes it along
    openTemporaries.add(path)
  }

  async release(): Promise<void> {
    clearInterval(this.#heartbeat)
    if (!openTemporaries.delete(this.#path)) return
    const seen = await look(this.#path)
    // one that others took over is theirs
    if (seen?.name === this.#name) await unlink(this.#path).catch(() => undefined)
  }
}

type SeenLock = {
  readonly name: string
  readonly mtimeMs: number
  readonly owner: TemporaryOwner | undefined
}

async function look(path: string): Promise<SeenLock | undefined> {
  try {
    const { mtimeMs } = await lstat(path)
    // one that cannot be read is watched all the same
    const name = await readFile(path, 'latin1').catch(() => '')
    return { name, mtimeMs, owner: parseTemporaryName(name) }
  } catch {
    // gone, or the directory cannot be looked at: the try to take it tells
    return undefined
  }
}

/** What one waiter has seen of a lock, timed by its own clock: no two machines' clocks are compared. */
class Watch {
  #seen: SeenLock | undefined
  #sinceMs = 0

  judge(lock: SeenLock, { staleMs }: LockTimes): 'held' | 'stuck' | 'abandoned' {
    const state = lock.owner === undefined ? 'unknown' : ownerState(lock.owner)
    if (state === 'dead') return 'abandoned'
    if (this.#seen?.name !== lock.name || this.#seen.mtimeMs !== lock.mtimeMs) {
      this.#seen = lock
      this.#sinceMs = performance.now()
    }
    if (performance.now() - this.#sinceMs < staleMs) return 'held'
    return state === 'alive' ? 'stuck' : 'abandoned'
  }
}

/** By rename, so that of several who judge the same lock one gets it, and a live one can be put back. */
async function takeAway(path: string, judged: SeenLock): Promise<void> {
  const aside = join(dirname(path), temporaryName())
  try {
    await rename(path, aside)
    const taken = await look(aside)
    if (taken !== undefined && taken.name !== judged.name) await link(aside, path)
  } catch {
    // another was first; or the live lock's place is taken again, and work is done twice
  }
  await unlink(aside).catch(() => undefined)
}
