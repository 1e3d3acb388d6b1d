/**
 * The catalogue: what was pulled or added, by reference. One record per reference and no other state, so
 * that any number of processes may write it at once. The database is opened when it is first needed.
 */
import { createHash } from 'node:crypto'
import { SregistryError } from '../errors/sregistry-error.ts'
import type { CatalogStore } from './catalog-store.ts'
import {
  decodeImageRecord,
  encodeImageRecord,
  type ImageRecord,
  imageRecordVersion,
} from './image-record.ts'

export type CatalogOptions = {
  /** How long a locked database is waited for; 60 s by default. */
  readonly lockWaitMs?: number
  /** Told about records that cannot be read, once per listing. */
  readonly onUnreadable?: (count: number) => void
}

export type Catalog = {
  /** The database's URI; undefined for the catalogue that keeps nothing. */
  readonly uri: string | undefined
  /**
   * The record of a full reference, or of `name`, `name:tag`, `name:tag@digest`; of several the one
   * pulled last.
   */
  get(name: string): Promise<ImageRecord | undefined>
  /** Records an image in place of what the same reference (without a digest after a tag) had. */
  put(record: ImageRecord): Promise<void>
  /** Forgets a record; its file is not touched. Whether there was one. */
  remove(record: ImageRecord): Promise<boolean>
  /** Records whose URI contains the query, or matches it when it holds `*` or `?`; newest first. */
  list(query?: string): Promise<readonly ImageRecord[]>
  findByPath(path: string): Promise<ImageRecord | undefined>
  /** Twice is harmless. */
  close(): Promise<void>
}

/** Longest key that every adapter takes (VARCHAR(255) less prefixes). */
const maxKeyBytes = 200

/**
 * Opens a catalogue: nothing is read or made before the first call of a method.
 * @param uri As `databaseUri` makes it; undefined for no catalogue at all (SREGISTRY_DISABLE).
 * @throws {SregistryError} every method: DATABASE, NOT_WRITABLE, DISK_FULL, STORAGE, UNSUPPORTED (an
 *   adapter that is not installed).
 */
export function openCatalog(uri: string | undefined, options: CatalogOptions = {}): Catalog {
  if (uri === undefined)
    return new StoredCatalog(undefined, () => Promise.resolve(emptyStore), options)
  return new StoredCatalog(uri, () => openStore(uri, options), options)
}

/** A catalogue over a store that is made when it is first needed. */
export class StoredCatalog implements Catalog {
  readonly uri: string | undefined
  readonly #open: () => Promise<CatalogStore>
  readonly #options: CatalogOptions
  #store: Promise<CatalogStore> | undefined

  constructor(
    uri: string | undefined,
    open: () => Promise<CatalogStore>,
    options: CatalogOptions = {},
  ) {
    this.uri = uri
    this.#open = open
    this.#options = options
  }

  async get(name: string): Promise<ImageRecord | undefined> {
    if (name.includes('://')) {
      const store = await this.#opened()
      const decoded = decodeImageRecord(await store.get(catalogKey(name)))
      if (decoded.kind === 'record' && answersTo(decoded.record, name)) return decoded.record
    }
    const records = await this.list()
    const isNamed = (record: ImageRecord): boolean => answersTo(record, name)
    return records.find((one) => isNamed(one) && one.tag === 'latest') ?? records.find(isNamed)
  }

  async put(record: ImageRecord): Promise<void> {
    const store = await this.#opened()
    const key = catalogKey(record.uri)
    const present = decodeImageRecord(await store.get(key))
    if (present.kind === 'newer') throw newerRecord(record.uri, present.version)
    await store.set(key, encodeImageRecord(record))
  }

  async remove(record: ImageRecord): Promise<boolean> {
    const store = await this.#opened()
    return store.delete(catalogKey(record.uri))
  }

  async list(query?: string): Promise<readonly ImageRecord[]> {
    const store = await this.#opened()
    const decoded = (await store.values()).map(decodeImageRecord)
    const records = decoded.flatMap((one) => (one.kind === 'record' ? [one.record] : []))
    const unreadable = decoded.length - records.length
    if (unreadable > 0) this.#options.onUnreadable?.(unreadable)
    const isWanted = queryMatcher(query)
    return records.filter((record) => isWanted(record.uri)).sort(newestFirst)
  }

  async findByPath(path: string): Promise<ImageRecord | undefined> {
    return (await this.list()).find((record) => record.path === path)
  }

  async close(): Promise<void> {
    const store = this.#store
    this.#store = undefined
    if (store === undefined) return
    // one that never opened has nothing to close, and its error was thrown already
    await store.then((opened) => opened.close()).catch(() => undefined)
  }

  async #opened(): Promise<CatalogStore> {
    this.#store ??= this.#open()
    try {
      return await this.#store
    } catch (error) {
      // a store whose opening failed is lost for good: the next call tries anew (FAULTS § 5.2)
      this.#store = undefined
      throw error
    }
  }
}

/** The catalogue of SREGISTRY_DISABLE: takes everything, keeps nothing. */
const emptyStore: CatalogStore = {
  get: async () => undefined,
  set: async () => undefined,
  delete: async () => false,
  values: async () => [],
  close: async () => undefined,
}

async function openStore(uri: string, options: CatalogOptions): Promise<CatalogStore> {
  if (uri.startsWith('sqlite://')) {
    const { openSqliteStore } = await import('./sqlite-store.ts')
    return openSqliteStore(uri, options)
  }
  const { openServerStore } = await import('./server-store.ts')
  return openServerStore(uri)
}

/**
 * The key of a reference: itself, less a digest that follows a tag, so that a tag that moved replaces its
 * record. Long ones end in a hash.
 */
export function catalogKey(uri: string): string {
  const tagged = /^(.*:[\w][\w.-]*)@sha(?:256|512):[0-9a-f]+$/.exec(uri)
  const lastPart = tagged?.[1]?.slice(tagged[1].lastIndexOf('/') + 1)
  const key = tagged?.[1] !== undefined && lastPart?.includes(':') === true ? tagged[1] : uri
  if (Buffer.byteLength(key) <= maxKeyBytes) return key
  const hash = createHash('sha256').update(key).digest('hex')
  return `${key.slice(0, 100)}~${hash}`
}

function answersTo(record: ImageRecord, name: string): boolean {
  const { uri, digest } = record
  const tagged = `${record.name}:${record.tag}`
  if ([uri, catalogKey(uri), record.name, tagged].includes(name)) return true
  return digest !== undefined && [`${tagged}@${digest}`, `${record.name}@${digest}`].includes(name)
}

/** A query with `*` or `?` must match the whole URI or its end after a slash; others are looked for inside. */
function queryMatcher(query: string | undefined): (uri: string) => boolean {
  if (query === undefined || query === '') return () => true
  if (!/[*?]/.test(query)) return (uri) => uri.includes(query)
  const escaped = query.replaceAll(/[.+^${}()|[\]\\]/g, '\\$&')
  const body = escaped.replaceAll(/\*+/g, '.*').replaceAll('?', '.')
  const pattern = new RegExp(`(^|/)${body}(@sha(256|512):[0-9a-f]+)?$`, 's')
  return (uri) => pattern.test(uri)
}

function newestFirst(a: ImageRecord, b: ImageRecord): number {
  const order = (x: string, y: string): number => (x < y ? 1 : x > y ? -1 : 0)
  return order(a.pulled, b.pulled) || order(b.uri, a.uri)
}

function newerRecord(uri: string, version: number): SregistryError {
  const message = `the record of ${uri} has version ${version}; this sregistry writes ${imageRecordVersion}`
  return new SregistryError('DATABASE', message, {
    hint: 'update sregistry, or set SREGISTRY_DATABASE to another directory',
  })
}
