/**
 * Whom a registry may send us to for a token, and what we show there (FAULTS § 7, crane's `bearer.go`):
 * a hostile registry must not make us probe a private network, nor collect another's password.
 */
import { isIP } from 'node:net'
import { SregistryError } from '../errors/sregistry-error.ts'
import { isPrivateAddress } from './private-address.ts'
import { visibleText } from './visible-text.ts'

export type Realm = {
  readonly url: URL
  /** False: the token is asked for without a name, because the realm belongs to another site. */
  readonly mayHaveCredentials: boolean
}

/** Realms on another site that are known to belong to the registry. */
const knownRealms: Readonly<Record<string, string>> = {
  'auth.docker.io': 'registry-1.docker.io',
  'authn.nvidia.com': 'nvcr.io',
}

/** @throws {SregistryError} PROTOCOL_ERROR when the realm is none that may be asked. */
export function checkRealm(realm: string, registry: URL): Realm {
  const url = URL.canParse(realm) ? new URL(realm) : undefined
  const why = url === undefined ? 'is not a URL' : whyRefused(url, registry)
  if (url === undefined || why !== undefined) {
    const shown = url === undefined ? visibleText(realm, 80) : url.host
    throw new SregistryError(
      'PROTOCOL_ERROR',
      `${registry.host} sends log-ins to a place that ${why}: ${shown}`,
      { hint: 'ask the registry’s administrator; nothing was sent there' },
    )
  }
  return { url, mayHaveCredentials: isSameSite(url.hostname, registry.hostname) }
}

function whyRefused(url: URL, registry: URL): string | undefined {
  const isPlain = url.protocol === 'http:' && registry.protocol === 'http:'
  if (url.protocol !== 'https:' && !isPlain) return 'is not https'
  if (url.username !== '' || url.password !== '') return 'carries a user name'
  if (url.hash !== '') return 'carries a fragment'
  const isOther = url.hostname !== registry.hostname
  return isOther && isPrivateAddress(url.hostname) ? 'is a private address' : undefined
}

function isSameSite(realm: string, registry: string): boolean {
  if (realm === registry) return true
  if (Object.hasOwn(knownRealms, realm) && knownRealms[realm] === registry) return true
  if (isIP(realm) !== 0 || isIP(registry) !== 0) return false
  return siteOf(realm) === siteOf(registry)
}

/** The registrable domain, near enough without the public suffix list: `co.uk` and its like take one more. */
function siteOf(hostname: string): string {
  const labels = hostname.split('.')
  const isLongSuffix = /^(?:com?|org|net|ac|gov|edu)\.[a-z]{2}$/.test(labels.slice(-2).join('.'))
  return labels.slice(isLongSuffix ? -3 : -2).join('.')
}
