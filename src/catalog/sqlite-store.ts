/**
 * The catalogue in an SQLite file, through Keyv. Everything here that looks too careful answers a
 * measured behaviour of Keyv 5 and @keyv/sqlite 4 (FAULTS § 5).
 */
import { open, stat } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import type { Keyv, KeyvStoreAdapter } from 'keyv'
import { SregistryError } from '../errors/sregistry-error.ts'
import { isDiskError } from '../storage/disk-error.ts'
import { makePrivateDirectory } from '../storage/private-directory.ts'
import { type CatalogStore, catalogNamespace, catalogTable } from './catalog-store.ts'

export type SqliteStoreOptions = {
  /** How long a locked database is waited for, in all; 60 s by default. */
  readonly lockWaitMs?: number
}

/** What is used of @keyv/sqlite, which is optional: where it could not be installed, its types are missing too. */
type SqliteAdapter = KeyvStoreAdapter & {
  query(sql: string, parameters?: readonly string[]): Promise<readonly Row[]>
  disconnect(): Promise<void>
}

type SqliteModule = {
  readonly KeyvSqlite: new (options: {
    readonly uri: string
    readonly table: string
    readonly busyTimeout: number
  }) => SqliteAdapter
}

type Connection = {
  readonly adapter: SqliteAdapter
  readonly keyv: Keyv
  /** Which file was opened: another one may take its name. */
  readonly inode: number | undefined
}

type Row = { readonly value?: unknown; readonly name?: unknown; readonly journal_mode?: unknown }

const requireModule = createRequire(import.meta.url)

/** sqlite3's own 1,000 ms is not enough under load; 10,000 gave no failure in any run (FAULTS § 5.4). */
const busyTimeoutMs = 10_000
const defaultLockWaitMs = 60_000

/**
 * Opens the database of a URI, made when it is missing.
 * @throws {SregistryError} DATABASE, NOT_WRITABLE, DISK_FULL, STORAGE.
 */
export async function openSqliteStore(
  uri: string,
  options: SqliteStoreOptions = {},
): Promise<CatalogStore> {
  const file = uri.replace(/^sqlite:\/\/\/?(?=\/)/, '')
  const store = new SqliteStore(file, options.lockWaitMs ?? defaultLockWaitMs)
  await store.open()
  return store
}

/** Whether the optional package was installed, and what it is built of can be loaded. */
export function isSqliteInstalled(): boolean {
  try {
    requireModule('@keyv/sqlite')
    return true
  } catch {
    return false
  }
}

class SqliteStore implements CatalogStore {
  readonly #file: string
  readonly #lockWaitMs: number
  #connection: Promise<Connection> | undefined

  constructor(file: string, lockWaitMs: number) {
    this.#file = file
    this.#lockWaitMs = lockWaitMs
  }

  async open(): Promise<void> {
    await this.#run(async () => undefined)
  }

  async get(key: string): Promise<unknown> {
    return this.#run(async ({ keyv }) => {
      try {
        return (await keyv.get(key)) as unknown
      } catch (error) {
        // a row that is no JSON counts as unknown
        if (error instanceof SyntaxError) return undefined
        throw error
      }
    })
  }

  async set(key: string, value: unknown): Promise<void> {
    await this.#run(({ keyv }) => keyv.set(key, value))
  }

  async delete(key: string): Promise<boolean> {
    return this.#run(({ keyv }) => keyv.delete(key))
  }

  /** By key range: the adapter's iterator is slow, unordered, and dies of one bad row (FAULTS § 5.8). */
  async values(): Promise<readonly unknown[]> {
    return this.#run(async ({ adapter, keyv }) => {
      const rows = await adapter.query(
        `SELECT value FROM ${catalogTable} WHERE key >= ? AND key < ? ORDER BY key`,
        [`${catalogNamespace}:`, `${catalogNamespace};`],
      )
      return Promise.all(rows.map((row) => storedValue(keyv, row)))
    })
  }

  async close(): Promise<void> {
    const connection = this.#connection
    this.#connection = undefined
    await connection?.then(({ adapter }) => adapter.disconnect()).catch(() => undefined)
  }

  /** Runs one operation; once more when the file was replaced under us, and while it is locked. */
  async #run<T>(operation: (connection: Connection) => Promise<T>): Promise<T> {
    // the process's own clock: that of `performance` is loaded for 2 ms when first asked
    const deadlineMs = process.uptime() * 1000 + this.#lockWaitMs
    for (let mayReopen = true; ; ) {
      try {
        this.#connection ??= connect(this.#file, this.#lockWaitMs)
        return await operation(await this.#connection)
      } catch (error) {
        const { databaseError, isLocked, keepAsideWhenCorrupt } = await import(
          './database-error.ts'
        )
        const wasReplaced = mayReopen && (await this.#isReplaced())
        const mayWait = isLocked(error) && process.uptime() * 1000 < deadlineMs
        // an adapter that failed to open fails for ever, and a replaced file never comes back
        await this.close()
        if (wasReplaced) mayReopen = false
        else if (!mayWait) {
          await keepAsideWhenCorrupt(error, this.#file)
          throw await databaseError(error, this.#file)
        }
      }
    }
  }

  async #isReplaced(): Promise<boolean> {
    const connection = await this.#connection?.catch(() => undefined)
    if (connection === undefined) return false
    const stats = await stat(this.#file).catch(() => undefined)
    return stats === undefined || stats.ino !== connection.inode || stats.size === 0
  }
}

async function storedValue(keyv: Keyv, row: Row): Promise<unknown> {
  if (typeof row.value !== 'string') return undefined
  try {
    return (await keyv.deserializeData(row.value))?.value
  } catch {
    // a row that is no JSON: its reader counts it as unreadable
    return undefined
  }
}

async function connect(file: string, lockWaitMs: number): Promise<Connection> {
  await makePrivateDirectory(dirname(file), 'database')
  await createPrivately(file)
  const { Keyv, KeyvSqlite } = loadKeyv(file)
  const adapter = new KeyvSqlite({
    uri: `sqlite://${file}`,
    table: catalogTable,
    busyTimeout: Math.max(1, Math.min(busyTimeoutMs, lockWaitMs)),
  })
  // without a listener the event kills the process; the query below brings the same error as a rejection
  adapter.on('error', () => undefined)
  try {
    await adapter.query('SELECT 1')
    await checkTable(adapter, file)
    await useRollbackJournal(adapter, file)
  } catch (error) {
    await adapter.disconnect().catch(() => undefined)
    throw error
  }
  const keyv = new Keyv({
    store: adapter,
    namespace: catalogNamespace,
    throwOnErrors: true,
    emitErrors: false,
  })
  const inode = (await stat(file).catch(() => undefined))?.ino
  return { adapter, keyv, inode }
}

/** SQLite would make the file with the umask's rights; an empty file is a valid empty database. */
async function createPrivately(file: string): Promise<void> {
  try {
    await (await open(file, 'wx', 0o600)).close()
  } catch (error) {
    // there already, or not writable: then opening it tells more
    if (!isDiskError(error, 'EEXIST', 'EACCES', 'EROFS', 'EPERM', 'EISDIR')) throw error
  }
}

/** By `require`: 4 ms less than by `import`, which scans sqlite3's CommonJS for names first. */
function loadKeyv(file: string): {
  readonly Keyv: typeof import('keyv').Keyv
  readonly KeyvSqlite: SqliteModule['KeyvSqlite']
} {
  try {
    const { Keyv } = requireModule('keyv') as typeof import('keyv')
    const { KeyvSqlite } = requireModule('@keyv/sqlite') as SqliteModule
    return { Keyv, KeyvSqlite }
  } catch (error) {
    throw new SregistryError('DATABASE', `the module that reads ${file} cannot be loaded`, {
      hint: 'run `npm rebuild sqlite3` where sregistry is installed, or set SREGISTRY_DISABLE=1',
      cause: error,
    })
  }
}

/** The file may hold other programs' tables; one of our name must have our columns. */
async function checkTable(adapter: SqliteAdapter, file: string): Promise<void> {
  const columns = await adapter.query(`PRAGMA table_info(${catalogTable})`)
  const names = columns.map((column) => column.name)
  if (names.includes('key') && names.includes('value')) return
  throw new SregistryError(
    'DATABASE',
    `${file} has a table ${catalogTable} that is not sregistry’s`,
    { hint: 'set SREGISTRY_DATABASE to another directory' },
  )
}

/** Write-ahead logs need shared memory, which network file systems lack (FAULTS § 5.6). */
async function useRollbackJournal(adapter: SqliteAdapter, file: string): Promise<void> {
  const [current] = await adapter.query('PRAGMA journal_mode')
  if (current?.journal_mode !== 'wal') return
  const [changed] = await adapter.query('PRAGMA journal_mode=DELETE')
  if (changed?.journal_mode === 'delete') return
  throw new SregistryError('DATABASE', `${file} is in WAL mode and cannot be taken out of it`, {
    hint: 'end the other programs that use it, or set SREGISTRY_DATABASE to another directory',
  })
}
