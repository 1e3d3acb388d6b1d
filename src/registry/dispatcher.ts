/** undici's connection pool with proxies, certificate authorities and time limits applied. */
import { SregistryError } from '../errors/sregistry-error.ts'
import { certificateAuthorities } from './certificate-authorities.ts'
import { addressAttemptMs, type NetworkLimits, networkLimits } from './network-limits.ts'
import { proxyChoice, proxySettings } from './proxy.ts'

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
