/**
 * The history file: JSON Lines, `{"t":1700000000,"s":"for (…) {\n…}"}`, whole statements. Our own and
 * not `server.setupHistory`, which rewrites the whole file from its start without cutting the rest
 * (bytes of a removed line survive), loses the lines of a second shell and keeps an existing 0644.
 */
import {
  appendFileSync,
  chmodSync,
  closeSync,
  existsSync,
  fchmodSync,
  fstatSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { isPrivate } from './secret-lines.ts'

export type Environment = { readonly [name: string]: string | undefined }

export type HistoryOptions = {
  /** Where it is kept; undefined keeps it in memory only. */
  readonly path: string | undefined
  /** Milliseconds since the epoch. */
  readonly now: () => number
}

const maxEntries = 1000
const maxReadBytes = 1024 ** 2

/** `$SREGISTRY_HISTORY` (empty: none), else the XDG state directory's `sregistry/history`. */
export function historyPath(env: Environment, home: string): string | undefined {
  const own = env['SREGISTRY_HISTORY']
  if (own !== undefined) return own === '' ? undefined : own
  return join(env['XDG_STATE_HOME'] || join(home, '.local', 'state'), 'sregistry', 'history')
}

export class History {
  readonly #options: HistoryOptions
  readonly #entries: string[]
  #problem: string | undefined
  #writable: boolean

  constructor(options: HistoryOptions) {
    this.#options = options
    this.#writable = options.path !== undefined
    this.#entries = options.path === undefined ? [] : this.#load(options.path)
  }

  /** Statements, the newest first, as `server.history` wants them. */
  get newestFirst(): string[] {
    return this.#entries.toReversed()
  }

  /** Statements, the oldest first. */
  get oldestFirst(): readonly string[] {
    return this.#entries
  }

  /** How many statements have this name in them. */
  uses(name: string): number {
    return this.#entries.filter((statement) => statement.includes(name)).length
  }

  /** Why the file is not used, if it should be and cannot. */
  get problem(): string | undefined {
    return this.#problem
  }

  /** Call before the statement runs, so that a crash keeps it. Secrets stay in memory only. */
  add(statement: string): void {
    if (statement.trim() === '') return
    if (this.#entries.at(-1) !== statement) this.#entries.push(statement)
    if (this.#entries.length > maxEntries) this.#entries.shift()
    if (isPrivate(statement)) return
    this.#append(statement)
  }

  #append(statement: string): void {
    const { path, now } = this.#options
    if (!this.#writable || path === undefined) return
    const entry = { t: Math.floor(now() / 1000), s: statement }
    // One write in append mode: the lines of two shells interleave whole.
    this.#attempt(() => appendFileSync(path, `${JSON.stringify(entry)}\n`, { mode: 0o600 }))
  }

  #load(path: string): string[] {
    let entries: string[] = []
    this.#attempt(() => {
      const { text, isWhole } = readPrivately(path)
      entries = parseEntries(text, isWhole)
      if (isWhole && entries.length <= 2 * maxEntries) {
        // A torn last line must not swallow the next entry.
        if (text !== '' && !text.endsWith('\n')) appendFileSync(path, '\n')
        return
      }
      compact(path, text, isWhole)
    })
    return entries.slice(-maxEntries)
  }

  // A full quota or a read-only home must not keep the shell from starting or a statement from running.
  #attempt(work: () => void): void {
    try {
      work()
    } catch (error) {
      this.#writable = false
      const code =
        error instanceof Error && 'code' in error ? String(error.code) : 'no regular file'
      this.#problem = `history is kept in memory only: ${this.#options.path}: ${code}`
    }
  }
}

type FileEnd = { readonly text: string; readonly isWhole: boolean }

/** The end of the file, which is made when it is missing; 0600 even when it was there. */
function readPrivately(path: string): FileEnd {
  const file = openOrMake(path)
  try {
    const stats = fstatSync(file)
    // `SREGISTRY_HISTORY=/dev/null` must not change the mode of a device, nor replace it
    if (!stats.isFile()) throw new Error('not a file')
    if ((stats.mode & 0o777) !== 0o600) fchmodSync(file, 0o600)
    return readEnd(file, stats.size)
  } finally {
    closeSync(file)
  }
}

/** Open for reading and appending; a directory that we make is 0700. */
function openOrMake(path: string): number {
  const directory = dirname(path)
  if (!existsSync(directory)) {
    const made = mkdirSync(directory, { recursive: true, mode: 0o700 })
    if (made !== undefined) chmodSync(directory, 0o700)
  }
  return openSync(path, 'a+', 0o600)
}

function readEnd(file: number, size: number): FileEnd {
  const length = Math.min(size, maxReadBytes)
  const bytes = Buffer.alloc(length)
  const read = readSync(file, bytes, 0, length, size - length)
  return { text: bytes.subarray(0, read).toString('utf8'), isWhole: length === size }
}

/** Lines that are torn (a crash, another shell's half) are skipped. */
function parseEntries(text: string, isWhole: boolean): string[] {
  const lines = text.split('\n').filter((line) => line !== '')
  return (isWhole ? lines : lines.slice(1)).flatMap((line) => statementOf(line) ?? [])
}

function statementOf(line: string): string | undefined {
  try {
    const entry: unknown = JSON.parse(line)
    const isEntry = typeof entry === 'object' && entry !== null && 's' in entry
    return isEntry && typeof entry.s === 'string' ? entry.s : undefined
  } catch {
    return undefined // a torn line: what was lost is one statement
  }
}

/** Keeps the newest entries, through a temporary file beside it and a rename. */
function compact(path: string, text: string, isWhole: boolean): void {
  const lines = text.split('\n').filter((line) => line !== '')
  const kept = (isWhole ? lines : lines.slice(1)).filter((line) => statementOf(line) !== undefined)
  const temporary = `${path}.${process.pid}.tmp`
  try {
    writeFileSync(temporary, `${kept.slice(-maxEntries).join('\n')}\n`, { mode: 0o600, flag: 'wx' })
    renameSync(temporary, path)
  } finally {
    rmSync(temporary, { force: true })
  }
}
