/**
 * The catalogue on a server, through Keyv's own adapters. They are not installed with sregistry: whoever
 * names one in SREGISTRY_DATABASE installs it.
 */
import { SregistryError } from '../errors/sregistry-error.ts'
import { type CatalogStore, catalogNamespace, catalogTable } from './catalog-store.ts'

type ServerAdapter = {
  readonly module: string
  readonly options: (uri: string) => unknown
}

const adapters: Readonly<Record<string, ServerAdapter>> = {
  redis: { module: '@keyv/redis', options: (uri) => uri },
  rediss: { module: '@keyv/redis', options: (uri) => uri },
  postgresql: { module: '@keyv/postgres', options: (uri) => ({ uri, table: catalogTable }) },
}

/**
 * @throws {SregistryError} UNSUPPORTED when the adapter is not installed, DATABASE when the server cannot
 *   be reached.
 */
export async function openServerStore(uri: string): Promise<CatalogStore> {
  const adapter = adapters[uri.slice(0, uri.indexOf('://'))]
  if (adapter === undefined) {
    throw new SregistryError('UNSUPPORTED', 'no adapter is known for this SREGISTRY_DATABASE', {
      hint: 'use a folder, redis:// or postgresql://',
    })
  }
  const Adapter = await loadAdapter(adapter.module)
  const { Keyv } = await import('keyv')
  const store = new Adapter(adapter.options(uri))
  const keyv = new Keyv({ store, namespace: catalogNamespace, throwOnErrors: true })
  // without a listener a lost connection would end the process; each operation throws its own error
  keyv.on('error', () => undefined)
  return keyvStore(keyv)
}

/** What this module uses of a Keyv, so that any of its adapters will do. */
export type KeyvLike = {
  get(key: string): Promise<unknown>
  set(key: string, value: unknown): Promise<boolean>
  delete(key: string): Promise<boolean>
  readonly iterator?: ((namespace: unknown) => AsyncGenerator<unknown, void>) | undefined
  disconnect(): Promise<void>
}

/** A store over any adapter that can iterate; rows that vanish meanwhile are skipped by it. */
export function keyvStore(keyv: KeyvLike): CatalogStore {
  const translated = async <T>(operation: () => Promise<T>): Promise<T> => {
    try {
      return await operation()
    } catch (error) {
      throw serverError(error)
    }
  }
  return {
    get: (key) => translated(() => keyv.get(key)),
    set: (key, value) => translated(async () => void (await keyv.set(key, value))),
    delete: (key) => translated(() => keyv.delete(key)),
    values: () => translated(() => valuesOf(keyv)),
    close: () => keyv.disconnect().catch(() => undefined),
  }
}

async function valuesOf(keyv: KeyvLike): Promise<readonly unknown[]> {
  const values: unknown[] = []
  for await (const entry of keyv.iterator?.(catalogNamespace) ?? []) {
    if (Array.isArray(entry)) values.push(entry[1])
  }
  return values
}

async function loadAdapter(module: string): Promise<new (options: unknown) => unknown> {
  try {
    const loaded = (await import(module)) as { default?: new (options: unknown) => unknown }
    if (loaded.default !== undefined) return loaded.default
  } catch (error) {
    throw notInstalled(module, error)
  }
  throw notInstalled(module, undefined)
}

function notInstalled(module: string, cause: unknown): SregistryError {
  return new SregistryError(
    'UNSUPPORTED',
    `SREGISTRY_DATABASE needs ${module}, which is not there`,
    {
      hint: `npm install ${module} beside sregistry (with -g if sregistry was)`,
      cause,
    },
  )
}

/** Without the cause: an adapter's error may hold the URI with its password. */
function serverError(error: unknown): SregistryError {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined
  const reason = code === undefined ? '' : ` (${code})`
  return new SregistryError('DATABASE', `the catalogue’s server failed${reason}`, {
    hint: 'check the server and SREGISTRY_DATABASE, or set SREGISTRY_DISABLE=1 to do without',
  })
}
