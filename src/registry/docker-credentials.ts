/**
 * Credentials that other programs have saved: Docker's config.json with its helpers, podman's and
 * apptainer's files, DOCKER_AUTH_CONFIG (REGISTRY § 5.5). Nothing is written, and an entry is used only
 * for the registry that it names.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { SregistryError } from '../errors/sregistry-error.ts'
import { askCredentialHelper, type HelperRunner, runCredentialHelper } from './credential-helper.ts'
import type { CredentialRequest, CredentialSource, Credentials } from './credentials.ts'
import { isJsonObject, type JsonObject, own } from './json-document.ts'

export type DockerCredentialOptions = {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly home: string
  /** Default: runs `docker-credential-NAME get`. */
  readonly runHelper?: HelperRunner
}

/** A file of credentials, or the variable that holds one. */
type AuthFile = { readonly from: string; readonly document: JsonObject }

const maxFileBytes = 1024 * 1024
/** Docker's name for its Hub in these files, whatever the API's host is. */
const dockerHubKey = 'https://index.docker.io/v1/'
const dockerHubHosts = ['docker.io', 'index.docker.io', 'registry-1.docker.io']

/**
 * The first of the files that knows the registry wins: DOCKER_AUTH_CONFIG, REGISTRY_AUTH_FILE or
 * podman's own two, Docker's, apptainer's.
 * @throws {SregistryError} SETTING_INVALID when a file is there and cannot be read as JSON.
 */
export function dockerCredentials(options: DockerCredentialOptions): CredentialSource {
  const runHelper = options.runHelper ?? runCredentialHelper
  return async (request) => {
    for await (const file of authFiles(options)) {
      const found = await credentialsIn(file, request, runHelper)
      if (found !== undefined && !isSame(found, request.refused?.credentials)) return found
    }
    return undefined
  }
}

async function* authFiles({ env, home }: DockerCredentialOptions): AsyncGenerator<AuthFile> {
  const inline = env['DOCKER_AUTH_CONFIG']
  if (inline) yield parseAuthFile('DOCKER_AUTH_CONFIG', inline)
  for (const path of authPaths(env, home)) {
    const text = await readIfThere(path)
    if (text !== undefined) yield parseAuthFile(path, text)
  }
}

function authPaths(env: DockerCredentialOptions['env'], home: string): readonly string[] {
  const runtime = env['XDG_RUNTIME_DIR']
  const podman = env['REGISTRY_AUTH_FILE']
    ? [env['REGISTRY_AUTH_FILE']]
    : [
        ...(runtime ? [join(runtime, 'containers', 'auth.json')] : []),
        join(env['XDG_CONFIG_HOME'] || join(home, '.config'), 'containers', 'auth.json'),
      ]
  return [
    ...podman,
    join(env['DOCKER_CONFIG'] || join(home, '.docker'), 'config.json'),
    join(home, '.apptainer', 'docker-config.json'),
  ]
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw new SregistryError('SETTING_INVALID', `${path} cannot be read (${code})`, {
      hint: 'mend its owner and mode, or remove it',
      cause,
    })
  }
}

/** The parser's own message would quote the file, secrets included: it is not kept. */
function parseAuthFile(from: string, text: string): AuthFile {
  let document: unknown
  try {
    document = text.length > maxFileBytes ? undefined : JSON.parse(text)
  } catch {
    document = undefined
  }
  if (isJsonObject(document)) return { from, document }
  throw new SregistryError('SETTING_INVALID', `${from} is no JSON object of at most 1 MiB`, {
    hint: 'log in again (docker login), or remove it',
  })
}

async function credentialsIn(
  file: AuthFile,
  request: CredentialRequest,
  runHelper: HelperRunner,
): Promise<Credentials | undefined> {
  const helper = helperOf(file.document, request.host)
  const entry = bestEntry(file.document, request)
  if (helper !== undefined) {
    const isHub = dockerHubHosts.includes(hostOf(request.host))
    const server = entry?.key ?? (isHub ? dockerHubKey : request.host)
    const found = await askCredentialHelper(helper, server, runHelper, request.signal)
    if (found !== undefined) return found
  }
  return entry === undefined ? undefined : credentialsOf(entry.value, file.from)
}

/** `credHelpers` names one registry exactly; `credsStore` keeps all others. */
function helperOf(document: JsonObject, host: string): string | undefined {
  const helpers = own(document, 'credHelpers')
  const named = isJsonObject(helpers) ? helperFor(helpers, host) : undefined
  const store = named ?? own(document, 'credsStore')
  return typeof store === 'string' && store !== '' ? store : undefined
}

function helperFor(helpers: JsonObject, host: string): unknown {
  const key = Object.keys(helpers).find((name) => isSameHost(hostOf(name), hostOf(host)))
  return key === undefined ? undefined : own(helpers, key)
}

type Entry = { readonly key: string; readonly value: JsonObject }

/** The longest key that is the registry, or the registry and a part of the repository's path (podman). */
function bestEntry(document: JsonObject, request: CredentialRequest): Entry | undefined {
  const auths = own(document, 'auths')
  if (!isJsonObject(auths)) return undefined
  const fitting = Object.keys(auths)
    .filter((key) => namesRepository(key, request))
    .sort((a, b) => pathOf(b).length - pathOf(a).length)
  for (const key of fitting) {
    const value = own(auths, key)
    if (isJsonObject(value)) return { key, value }
  }
  return undefined
}

function namesRepository(key: string, request: CredentialRequest): boolean {
  if (!isSameHost(hostOf(key), hostOf(request.host))) return false
  const path = pathOf(key)
  return path === '' || `${request.repository ?? ''}/`.startsWith(`${path}/`)
}

/** Keys are hosts, often with a scheme, a trailing slash or the path of an API version. */
function hostOf(key: string): string {
  return (key.replace(/^https?:\/\//i, '').split('/')[0] ?? '').toLowerCase()
}

function pathOf(key: string): string {
  const path = key
    .replace(/^https?:\/\//i, '')
    .split('/')
    .slice(1)
    .join('/')
  return path.replace(/\/+$/, '').replace(/^v[12]$/, '')
}

function isSameHost(a: string, b: string): boolean {
  return a === b || (dockerHubHosts.includes(a) && dockerHubHosts.includes(b))
}

/** An entry that holds nothing means "ask the helper". */
function credentialsOf(entry: JsonObject, from: string): Credentials | undefined {
  const registryToken = textOf(entry, 'registrytoken')
  if (registryToken !== undefined) return { kind: 'bearer-token', token: registryToken, from }
  const identityToken = textOf(entry, 'identitytoken')
  if (identityToken !== undefined) return { kind: 'identity-token', token: identityToken, from }
  const auth = textOf(entry, 'auth')
  const [username, password] =
    auth === undefined ? [textOf(entry, 'username'), textOf(entry, 'password')] : splitAuth(auth)
  if (!username || password === undefined) return undefined
  return { kind: 'password', username, password, from }
}

/** base64 of `user:password`; some writers pad it with NULs. */
function splitAuth(auth: string): readonly [string | undefined, string | undefined] {
  const text = Buffer.from(auth, 'base64').toString('utf8').replaceAll('\0', '')
  const colon = text.indexOf(':')
  return colon < 0 ? [undefined, undefined] : [text.slice(0, colon), text.slice(colon + 1)]
}

function textOf(entry: JsonObject, key: string): string | undefined {
  const value = own(entry, key)
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** What was just refused is not offered again. */
function isSame(found: Credentials, refused: Credentials | undefined): boolean {
  return refused !== undefined && JSON.stringify(found) === JSON.stringify(refused)
}
