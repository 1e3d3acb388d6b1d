/**
 * The token on disk, for many short runs in a row. Only where `SREGISTRY_CREDENTIALS_CACHE` names a
 * file: secrets are never written unless the user asked for it. Mode 0600, replaced atomically.
 */
import { createHash, randomBytes } from 'node:crypto'
import { mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { SregistryError } from '../errors/sregistry-error.ts'
import {
  type AuthorizationToken,
  type AuthorizationTokenCache,
  decodeToken,
} from './authorization-token.ts'

type CachedToken = {
  readonly authorizationToken: string
  readonly obtainedAt: string
  readonly expiresAt: string
  readonly proxyEndpoint: string
}
type CacheFile = Readonly<Record<string, CachedToken>>

/**
 * @param path The file, made with its folder when it is not there.
 * @param identity What the token depends on: region, endpoint, profile and key id. Hashed, not stored.
 */
export function authorizationTokenCache(
  path: string,
  identity: readonly string[],
): AuthorizationTokenCache {
  const key = createHash('sha256').update(JSON.stringify(identity)).digest('hex')
  return {
    read: async () => fromCached((await readCache(path))[key]),
    write: async (token) =>
      writeCache(path, { ...(await readCache(path)), [key]: toCached(token) }),
  }
}

function fromCached(cached: CachedToken | undefined): AuthorizationToken | undefined {
  if (cached === undefined) return undefined
  const expiresAt = new Date(cached.expiresAt)
  const obtainedAt = new Date(cached.obtainedAt)
  if (Number.isNaN(expiresAt.getTime() + obtainedAt.getTime())) return undefined
  const { authorizationToken: basic, proxyEndpoint: registryUrl } = cached
  return decodeToken({ basic, obtainedAt, expiresAt, registryUrl })
}

function toCached(token: AuthorizationToken): CachedToken {
  return {
    authorizationToken: token.basic.reveal(),
    obtainedAt: token.obtainedAt.toISOString(),
    expiresAt: token.expiresAt.toISOString(),
    proxyEndpoint: token.registryUrl,
  }
}

// A file that others can read or that is damaged counts as empty: it is only a cache, and the next
// token replaces it.
async function readCache(path: string): Promise<CacheFile> {
  try {
    if (((await stat(path)).mode & 0o077) !== 0) return {}
    const parsed: unknown = JSON.parse(await readFile(path, 'utf8'))
    return typeof parsed === 'object' && parsed !== null ? (parsed as CacheFile) : {}
  } catch {
    return {}
  }
}

async function writeCache(path: string, file: CacheFile): Promise<void> {
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 })
    const present = await stat(path).catch(() => undefined)
    // a rename would put a file in place of /dev/null
    if (present !== undefined && !present.isFile()) throw new Error('not a regular file')
    await writeSynced(temporary, JSON.stringify(file))
    await rename(temporary, path)
  } catch (cause) {
    await rm(temporary, { force: true }).catch(() => undefined) // never made: the error above tells why
    throw new SregistryError('NOT_WRITABLE', `cannot keep the ECR token in ${path}`, {
      hint: 'make the folder writable, or unset SREGISTRY_CREDENTIALS_CACHE',
      cause,
    })
  }
}

async function writeSynced(path: string, text: string): Promise<void> {
  const file = await open(path, 'wx', 0o600)
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
}
