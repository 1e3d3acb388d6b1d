/**
 * Where a registry may send us on to (FAULTS § 7 "Redirect rule"). Followed by hand: fetch would take
 * custom headers along to any host, and undici.request follows nothing.
 */
import { SregistryError } from '../errors/sregistry-error.ts'
import { isLoopback, isPrivateAddress } from './private-address.ts'

export const maxRedirects = 5

const redirectStatuses: ReadonlySet<number> = new Set([301, 302, 303, 307, 308])

export function isRedirect(status: number): boolean {
  return redirectStatuses.has(status)
}

/**
 * The next place to ask.
 * @param registry The registry's own URL: one that is plain http, or private, may stay so.
 * @throws {SregistryError} PROTOCOL_ERROR when the place is none that may be asked; the message holds hosts, no URL.
 */
export function nextHop(from: URL, location: string | undefined, registry: URL): URL {
  const why = (reason: string) =>
    new SregistryError('PROTOCOL_ERROR', `${from.host} sent a redirect that ${reason}`, {
      hint: 'nothing was asked there; the registry’s administrator should know of this',
    })
  if (location === undefined || !URL.canParse(location, from.href)) throw why('leads nowhere')
  const to = new URL(location, from)
  if (to.protocol !== 'https:' && to.protocol !== 'http:') throw why('is not http')
  if (to.protocol === 'http:' && registry.protocol === 'https:') throw why('leaves https')
  if (to.username !== '' || to.password !== '') throw why('carries a user name')
  const isRegistryPrivate = isPrivateAddress(registry.hostname) || isLoopback(registry.hostname)
  if (isPrivateAddress(to.hostname) && !isRegistryPrivate && to.hostname !== registry.hostname) {
    throw why(`leads to a private address, ${to.host}`)
  }
  to.hash = ''
  return to
}

/** The error for a chain longer than `maxRedirects`. */
export function tooManyRedirects(hosts: readonly string[]): SregistryError {
  const way = [...new Set(hosts)].join(' → ')
  const message = `more than ${maxRedirects} redirects, by way of ${way}`
  return new SregistryError('PROTOCOL_ERROR', message, {
    hint: 'a login page or a proxy may stand in between; check HTTPS_PROXY',
  })
}
