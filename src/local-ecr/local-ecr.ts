/**
 * An ECR on this machine: control plane, `/v2/` data plane and blob storage, three listeners on
 * loopback over one directory. For demos, tests and people who have no account.
 */
import { resolve } from 'node:path'
import { SregistryError } from '../errors/sregistry-error.ts'
import type { Account } from './account.ts'
import { AuthorizationTokens } from './authorization-token.ts'
import { blobStorage } from './blob-storage.ts'
import { BlobStore } from './blob-store.ts'
import { controlPlane } from './control-plane.ts'
import { dataPlane } from './data-plane.ts'
import { type FaultRule, Faults, type ListenerName } from './fault.ts'
import type { ImageKey } from './image-lookup.ts'
import { recordScan } from './image-scan.ts'
import {
  bind,
  type Certificate,
  closeServer,
  portOf,
  type RequestRecord,
  type Router,
  serve,
} from './listener.ts'
import { PageTokens } from './page-token.ts'
import { Policy } from './policy.ts'
import { PresignedUrls } from './presigned-url.ts'
import { createUser, type Principal } from './principal.ts'
import type { LocalEcrSettings, RegistryState } from './registry-state.ts'
import { RepositoryStore, type ScanFinding } from './repository-store.ts'
import { seed } from './seed.ts'

export type LocalEcrOptions = {
  /** Directory of the store; made when it is missing, found again by a later start. */
  readonly root: string
  /** Loopback address to listen on (default 127.0.0.1). */
  readonly host?: string
  /** Of the registry; the API gets the next, blob storage the one after. 0 (default): any free. */
  readonly port?: number
  /** Fills an empty store with images made from programs of this machine (default false). */
  readonly seed?: boolean
  /** Default us-east-1. */
  readonly region?: string
  /** Default 123456789012. */
  readonly accountId?: string
  /** Default 12 h. */
  readonly tokenTtlSeconds?: number
  /** Default 1 h. */
  readonly urlTtlSeconds?: number
  /** Upper bound of a page (default 1000, ECR's own). */
  readonly pageSize?: number
  /** Faults that are on from the start. */
  readonly faults?: readonly FaultRule[]
  /** Host names to answer beside loopback's own, for tests that come through a proxy. */
  readonly extraHosts?: readonly string[]
  /** Host name in the URLs of layers, answered too; default: loopback's other name. */
  readonly blobHost?: string
  /** https on all three listeners, with this certificate. Default: plain http. */
  readonly tls?: Certificate
  /** The clock (default Date.now). */
  readonly now?: () => number
}

export type LocalEcr = {
  /** What reaches it: AWS_ENDPOINT_URL_ECR, SREGISTRY_AWS_BASE, _ID, _ZONE, _KEY, _SECRET, _NOHTTPS … */
  readonly environment: Readonly<Record<string, string>>
  /** `host:port` of the data plane. */
  readonly registryHost: string
  /** URL of the control plane. */
  readonly apiUrl: string
  /** URL of the blob storage. */
  readonly blobUrl: string
  readonly accountId: string
  readonly region: string
  /** What was asked so far, oldest first. */
  readonly requests: readonly RequestRecord[]
  /** Switch faults on and off while it runs. */
  readonly faults: Faults
  /** Deny actions while it runs. */
  readonly policy: Policy
  /** Life of tokens and URLs, page size, clock: may be changed while it runs. */
  readonly settings: LocalEcrSettings
  /** The user whose key is in `environment`. */
  readonly user: Principal
  /** Lets another key in (a role's temporary one, say); the same key id again replaces it. */
  addPrincipal(principal: Principal): void
  /**
   * Gives an image a finished scan with these findings, in place of the one it has.
   * @throws {SregistryError} NAME_UNKNOWN or MANIFEST_UNKNOWN when the image is not there.
   */
  recordScan(repository: string, image: ImageKey, findings: readonly ScanFinding[]): Promise<void>
  /** Makes every token that was given out an expired one. */
  expireTokens(): void
  /** Ends listeners and open connections; closing twice is harmless. */
  close(): Promise<void>
}

/**
 * Starts the emulator; ready when the promise resolves.
 * @throws {SregistryError} NETWORK when a port is taken; SETTING_INVALID for a host that is not
 *   loopback or a malformed account; NOT_WRITABLE or STORAGE for a root that cannot be used;
 *   UNSUPPORTED when seeding has no Linux programs to take.
 */
export async function startLocalEcr(options: LocalEcrOptions): Promise<LocalEcr> {
  checkOptions(options)
  const faults = new Faults(options.faults)
  const listeners = await bindAll(options)
  try {
    const state = await openState(options, listeners)
    if (options.seed) await seed(state, resolve(options.root))
    return run({ options, listeners, state, faults })
  } catch (error) {
    await closeAll(listeners)
    throw error
  }
}

type Listeners = Readonly<Record<ListenerName, Awaited<ReturnType<typeof bind>>>>

function checkOptions({ host = '127.0.0.1', accountId = defaultAccount }: LocalEcrOptions): void {
  if (!/^(?:127(?:\.\d{1,3}){3}|::1|localhost)$/.test(host)) {
    throw new SregistryError('SETTING_INVALID', `the local ECR does not listen on ${host}`, {
      hint: 'it is for this machine only: use 127.0.0.1',
    })
  }
  if (!/^\d{12}$/.test(accountId)) {
    throw new SregistryError('SETTING_INVALID', `"${accountId}" is not an AWS account id`, {
      hint: 'give twelve digits',
    })
  }
}

const defaultAccount = '123456789012'

async function bindAll(options: LocalEcrOptions): Promise<Listeners> {
  const { host = '127.0.0.1', port = 0, tls } = options
  const bindNext = (offset: number) => bind({ host, port: port === 0 ? 0 : port + offset, tls })
  const registry = await bindNext(0)
  try {
    const api = await bindNext(1)
    try {
      return { registry, api, blobs: await bindNext(2) }
    } catch (error) {
      await closeServer(api)
      throw error
    }
  } catch (error) {
    await closeServer(registry)
    throw error
  }
}

async function closeAll(listeners: Listeners): Promise<void> {
  await Promise.all(Object.values(listeners).map((server) => closeServer(server)))
}

async function openState(options: LocalEcrOptions, listeners: Listeners): Promise<RegistryState> {
  const root = resolve(options.root)
  const now = options.now ?? Date.now
  const settings: LocalEcrSettings = {
    tokenTtlSeconds: options.tokenTtlSeconds ?? 12 * 3600,
    urlTtlSeconds: options.urlTtlSeconds ?? 3600,
    pageSize: options.pageSize ?? 1000,
    clockOffsetSeconds: 0,
  }
  const account = accountOf(options, listeners)
  return {
    account,
    settings,
    nowMs: () => now() + settings.clockOffsetSeconds * 1000,
    ...(await openStores(root)),
    principals: new Map(),
    policy: new Policy(account),
    tokens: new AuthorizationTokens(),
    urls: new PresignedUrls(),
    pages: new PageTokens(),
  }
}

async function openStores(root: string): Promise<Pick<RegistryState, 'blobs' | 'repositories'>> {
  try {
    return { blobs: await BlobStore.open(root), repositories: await RepositoryStore.open(root) }
  } catch (cause) {
    if (cause instanceof SyntaxError) {
      throw new SregistryError('STORAGE', `${root} holds a repository file that is damaged`, {
        hint: 'give an empty directory, or remove this one',
        cause,
      })
    }
    const reason = (cause as NodeJS.ErrnoException).code
    throw new SregistryError('NOT_WRITABLE', `${root} cannot hold the local ECR (${reason})`, {
      hint: 'give a directory that you may write',
      cause,
    })
  }
}

/** Clients compare origins, or only host names: blob storage differs from the registry in both. */
function accountOf(options: LocalEcrOptions, listeners: Listeners): Account {
  const { host = '127.0.0.1', accountId = defaultAccount, region = 'us-east-1' } = options
  const registryHost = `${bracketed(host)}:${portOf(listeners.registry)}`
  const blobHost = options.blobHost ?? (host === 'localhost' ? '127.0.0.1' : 'localhost')
  const scheme = schemeOf(options)
  return {
    accountId,
    region,
    registryHost,
    registryUrl: `${scheme}://${registryHost}`,
    blobOrigin: `${scheme}://${blobHost}:${portOf(listeners.blobs)}`,
  }
}

function schemeOf({ tls }: LocalEcrOptions): 'http' | 'https' {
  return tls === undefined ? 'http' : 'https'
}

function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host
}

type Running = {
  readonly options: LocalEcrOptions
  readonly listeners: Listeners
  readonly state: RegistryState
  readonly faults: Faults
}

function run({ options, listeners, state, faults }: Running): LocalEcr {
  const { account } = state
  const user = createUser(account, 'local')
  state.principals.set(user.accessKeyId, user)
  const requests: RequestRecord[] = []
  const host = bracketed(options.host ?? '127.0.0.1')
  const { extraHosts = [], blobHost = host } = options
  const allowedHosts = new Set(['localhost', '127.0.0.1', host, blobHost, ...extraHosts])
  const shared = { allowedHosts, faults, requests, nowMs: state.nowMs }
  const routes: Record<ListenerName, Router> = {
    api: controlPlane(state),
    registry: dataPlane(state),
    blobs: blobStorage(state),
  }
  for (const name of ['api', 'registry', 'blobs'] as const) {
    serve(listeners[name], { ...shared, name, route: routes[name] })
  }
  const apiUrl = `${schemeOf(options)}://${host}:${portOf(listeners.api)}`
  return {
    environment: environmentOf(account, apiUrl, user),
    registryHost: account.registryHost,
    apiUrl,
    blobUrl: account.blobOrigin,
    accountId: account.accountId,
    region: account.region,
    requests,
    faults,
    policy: state.policy,
    settings: state.settings,
    user,
    addPrincipal: (principal) => state.principals.set(principal.accessKeyId, principal),
    recordScan: (repository, image, findings) => recordScan(state, { repository, image, findings }),
    expireTokens: () => state.tokens.expireAll(),
    close: async () => {
      await closeAll(listeners)
      await state.repositories.close()
    },
  }
}

function environmentOf(
  account: Account,
  apiUrl: string,
  user: Principal,
): Readonly<Record<string, string>> {
  return {
    AWS_ENDPOINT_URL_ECR: apiUrl,
    AWS_ENDPOINT_URL_STS: apiUrl,
    SREGISTRY_AWS_BASE: account.registryHost,
    SREGISTRY_AWS_ID: account.accountId,
    SREGISTRY_AWS_ZONE: account.region,
    SREGISTRY_AWS_KEY: user.accessKeyId,
    SREGISTRY_AWS_SECRET: user.secretAccessKey,
    SREGISTRY_AWS_NOHTTPS: String(account.registryUrl.startsWith('http:')),
  }
}
