/**
 * Where the catalogue is: SREGISTRY_DATABASE may name a folder (as in the ancestor), a file or a URI, and
 * becomes a URI in one form, `sqlite:////home/u/.singularity/sregistry.db`. Keyv takes whatever follows
 * `sqlite://` for a path, question marks and all (FAULTS § 5.15), so nothing odd may reach it.
 */
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { SregistryError } from '../errors/sregistry-error.ts'
import { resolvePath } from './setting-values.ts'

const fileName = 'sregistry.db'
const serverSchemes: Readonly<Record<string, string>> = {
  redis: 'redis',
  rediss: 'rediss',
  postgresql: 'postgresql',
  postgres: 'postgresql',
}

/**
 * @throws {SregistryError} SETTING_INVALID for schemes that Keyv's adapters do not know or that lose
 *   records (mysql takes A for a), and for SQLite URIs with parameters or without a path.
 */
export function databaseUri(
  text: string,
  at: { readonly home: string; readonly cwd: string },
): string {
  const [, schemeText, rest] = /^([A-Za-z][A-Za-z0-9+.-]*):\/\/([\s\S]*)$/.exec(text) ?? []
  if (schemeText === undefined || rest === undefined) {
    return sqliteUri(fileOf(resolvePath('SREGISTRY_DATABASE', text, at)))
  }
  const scheme = schemeText.toLowerCase()
  if (scheme === 'sqlite') return sqliteUri(sqlitePath(rest, at))
  const server = serverSchemes[scheme]
  if (server !== undefined) return `${server}://${rest}`
  throw invalid(`it has the scheme ${scheme}://`)
}

/** The absolute path of a URI that `databaseUri` made; undefined for databases on a server. */
export function sqliteFileOf(uri: string): string | undefined {
  return uri.startsWith('sqlite:///') ? uri.slice('sqlite:///'.length) : undefined
}

/** The same URI fit to be shown: no user, password or parameters. */
export function shownDatabaseUri(uri: string): string {
  if (uri.startsWith('sqlite:')) return uri
  return uri.replace(/:\/\/[^/?#]*@/, '://…@').replace(/[?#].*$/s, '')
}

function sqlitePath(rest: string, at: { readonly home: string; readonly cwd: string }): string {
  if (rest === '' || rest === '/' || rest.includes(':memory:')) throw invalid('it has no file')
  if (/[?#]/.test(rest)) throw invalid('parameters are not possible')
  // three and four slashes both mean an absolute path: Keyv's reading and SQLAlchemy's
  return resolvePath('SREGISTRY_DATABASE', rest.replace(/^\/+/, '/').replace(/^\/~\//, '~/'), at)
}

function fileOf(path: string): string {
  const stats = statSync(path, { throwIfNoEntry: false })
  const isFile = stats === undefined ? /\.(db|sqlite3?)$/.test(path) : !stats.isDirectory()
  return isFile ? path : join(path, fileName)
}

function sqliteUri(path: string): string {
  return `sqlite:///${path}`
}

function invalid(reason: string): SregistryError {
  return new SregistryError('SETTING_INVALID', `SREGISTRY_DATABASE cannot be used: ${reason}`, {
    hint: 'give a folder, a file ending in .db, sqlite:////PATH, redis://HOST or postgresql://HOST/NAME',
  })
}
