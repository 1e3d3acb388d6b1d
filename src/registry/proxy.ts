/** Which proxy a URL passes through, from the environment as `curl` and the aws command read it. */

export type ProxyChoice = {
  readonly isAnySet: boolean
  /** `http://host:port` without userinfo shown; undefined when the URL goes directly. */
  proxyOf(url: URL): string | undefined
}

type Environment = Readonly<Record<string, string | undefined>>

export type ProxySettings = {
  readonly httpProxy: string | undefined
  readonly httpsProxy: string | undefined
  /** NO_PROXY, with what must never be proxied: this machine, and the metadata services of AWS. */
  readonly noProxy: string
}

const neverProxied = 'localhost,127.0.0.1,[::1],::1,169.254.169.254,169.254.170.2'

/** Lower case wins. Unlike undici, HTTP_PROXY alone does not take https with it; ALL_PROXY takes both. */
export function proxySettings(env: Environment): ProxySettings {
  const all = env['all_proxy'] || env['ALL_PROXY'] || undefined
  const noProxy = env['no_proxy'] || env['NO_PROXY'] || ''
  return {
    httpProxy: env['http_proxy'] || env['HTTP_PROXY'] || all,
    httpsProxy: env['https_proxy'] || env['HTTPS_PROXY'] || all,
    noProxy: noProxy === '*' ? '*' : [noProxy, neverProxied].filter(Boolean).join(','),
  }
}

export function proxyChoice(env: Environment): ProxyChoice {
  const { httpProxy, httpsProxy, noProxy } = proxySettings(env)
  return {
    isAnySet: httpProxy !== undefined || httpsProxy !== undefined,
    proxyOf: (url) => {
      const proxy = url.protocol === 'https:' ? httpsProxy : httpProxy
      if (proxy === undefined || isExempt(url, noProxy)) return undefined
      return URL.canParse(proxy) ? new URL(proxy).host : 'of an unreadable URL'
    },
  }
}

/** `*`, `host`, `.suffix`, `*.suffix`, each with or without `:port`. */
function isExempt(url: URL, noProxy: string): boolean {
  if (noProxy === '*') return true
  const port = url.port || (url.protocol === 'https:' ? '443' : '80')
  return noProxy
    .split(/[\s,]+/)
    .some((entry) => matchesEntry(entry.toLowerCase(), url.hostname, port))
}

function matchesEntry(entry: string, hostname: string, port: string): boolean {
  const [, name = '', entryPort] = /^(.*?)(?::(\d+))?$/.exec(entry) ?? []
  if (name === '' || (entryPort !== undefined && entryPort !== port)) return false
  const suffix = name.replace(/^\*?\.?/, '')
  return hostname === suffix || hostname.endsWith(`.${suffix}`)
}
