/** Addresses that no public registry has business sending us to. */
import { BlockList, isIP } from 'node:net'

/** BlockList knows the IPv4 ranges in their IPv4-mapped IPv6 form too. */
const privateRanges = new BlockList()
for (const [network, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
] as const) {
  privateRanges.addSubnet(network, prefix, 'ipv4')
}
for (const [network, prefix] of [
  ['::', 128],
  ['::1', 128],
  ['fc00::', 7],
  ['fe80::', 10],
] as const) {
  privateRanges.addSubnet(network, prefix, 'ipv6')
}

/** @param hostname As `new URL()` gives it: IPv4 in its four-part form, IPv6 in brackets. */
export function isPrivateAddress(hostname: string): boolean {
  const address = bare(hostname)
  const version = isIP(address)
  if (version === 0) return address === 'localhost' || address.endsWith('.localhost')
  return privateRanges.check(address, version === 4 ? 'ipv4' : 'ipv6')
}

/** This machine: the only place where plain http needs no setting. */
export function isLoopback(hostname: string): boolean {
  const address = bare(hostname)
  return address === 'localhost' || address === '::1' || /^127(?:\.\d{1,3}){3}$/.test(address)
}

function bare(hostname: string): string {
  return hostname
    .replace(/^\[|\]$/g, '')
    .replace(/\.$/, '')
    .toLowerCase()
}
