/** undici's connection pool with proxies, certificate authorities and time limits applied. */
import { readFile } from 'node:fs/promises'
import { rootCertificates } from 'node:tls'
import { SregistryError } from '../errors/sregistry-error.ts'
import { proxyChoice, proxySettings } from './proxy.ts'

export type NetworkLimits = {
  readonly connectMs: number
  readonly headersMs: number
  /** No byte for so long ends a body. */
  readonly idleMs: number
  readonly maxConnectionsPerHost: number
}

/** FAULTS § 3; undici's timers are about a second coarse, so whole seconds only. */
const networkLimits: NetworkLimits = {
  connectMs: 10_000,
  headersMs: 60_000,
  idleMs: 60_000,
  maxConnectionsPerHost: 8,
}

/** Each address of a host gets this long: Node's 250 ms are too few on far or slow links. */
const addressAttemptMs = 2000
const maxCertificateBytes = 1024 * 1024

type Environment = Readonly<Record<string, string | undefined>>

/** @throws {SregistryError} SETTING_INVALID when a certificate file or a proxy URL cannot be read. */
export async function createDispatcher(
  env: Environment,
  changed: Partial<NetworkLimits> = {},
): Promise<import('undici').Dispatcher> {
  const [undici, ca] = await Promise.all([import('undici'), certificateAuthorities(env)])
  const options = poolOptions({ ...networkLimits, ...changed }, ca)
  const direct = new undici.Agent(options)
  const { httpProxy, httpsProxy } = proxySettings(env)
  const choice = proxyChoice(env)
  if (!choice.isAnySet) return direct
  const http = proxyAgent(undici, httpProxy, options)
  const https = httpsProxy === httpProxy ? http : proxyAgent(undici, httpsProxy, options)
  const all = [direct, http, https].filter((agent) => agent !== undefined)

  /** undici's EnvHttpProxyAgent reads the environment behind our back and sends https to HTTP_PROXY. */
  class RoutedDispatcher extends undici.Dispatcher {
    override dispatch(
      options: import('undici').Dispatcher.DispatchOptions,
      handler: import('undici').Dispatcher.DispatchHandler,
    ): boolean {
      const url = new URL(String(options.origin))
      const proxied = url.protocol === 'https:' ? https : http
      const agent = choice.proxyOf(url) === undefined ? direct : (proxied ?? direct)
      return agent.dispatch(options, handler)
    }

    override async close(): Promise<void> {
      await Promise.all(all.map((agent) => agent.close()))
    }

    override async destroy(): Promise<void> {
      await Promise.all(all.map((agent) => agent.destroy()))
    }
  }
  return new RoutedDispatcher()
}

type PoolOptions = ReturnType<typeof poolOptions>

function poolOptions(limits: NetworkLimits, ca: string[] | undefined) {
  const authorities = ca === undefined ? {} : { ca }
  return {
    headersTimeout: limits.headersMs,
    bodyTimeout: limits.idleMs,
    connections: limits.maxConnectionsPerHost,
    connect: {
      timeout: limits.connectMs,
      autoSelectFamily: true,
      autoSelectFamilyAttemptTimeout: addressAttemptMs,
      ...authorities,
    },
    requestTls: { timeout: limits.connectMs, ...authorities },
    proxyTls: { timeout: limits.connectMs, ...authorities },
  }
}

/** Plain http is asked of the proxy without a tunnel: many proxies allow CONNECT to port 443 only. */
function proxyAgent(
  undici: typeof import('undici'),
  uri: string | undefined,
  options: PoolOptions,
): import('undici').ProxyAgent | undefined {
  if (uri === undefined) return undefined
  try {
    return new undici.ProxyAgent({ ...options, uri, proxyTunnel: false })
  } catch {
    // the cause would repeat the URL, which may hold a password
    const hint = 'HTTPS_PROXY and HTTP_PROXY are URLs: http://proxy.example.org:3128'
    throw new SregistryError('SETTING_INVALID', 'the URL of the proxy cannot be used', { hint })
  }
}

/** Node's roots and the files that people name for the aws command and OpenSSL; undefined when none is. */
async function certificateAuthorities(env: Environment): Promise<string[] | undefined> {
  const names = ['NODE_EXTRA_CA_CERTS', 'AWS_CA_BUNDLE', 'SSL_CERT_FILE']
  const set = names.filter((name) => env[name])
  if (set.length === 0) return undefined
  const files = await Promise.all(set.map((name) => readCertificates(name, env[name] ?? '')))
  return [...rootCertificates, ...files]
}

async function readCertificates(setting: string, path: string): Promise<string> {
  try {
    const text = await readFile(path, 'utf8')
    if (text.length <= maxCertificateBytes) return text
    throw new Error(`larger than ${maxCertificateBytes} bytes`)
  } catch (cause) {
    const hint = `let ${setting} name a readable file of certificates (PEM)`
    const message = `the certificates of ${setting} cannot be read`
    throw new SregistryError('SETTING_INVALID', message, { hint, cause })
  }
}
