/**
 * Whether instance metadata can be expected. Off EC2 its address is often a black hole: the last link
 * of the credential chain then waits two seconds for nothing (REGISTRY § 2.4), at each prompt.
 */
import { readFileSync } from 'node:fs'
import type { Environment } from './shared-config.ts'

/** Enough for a link-local answer; asked twice by the SDK. */
const shortWaitMs = 250

/**
 * How long to wait for instance metadata; undefined for the SDK's own patience.
 * @param readText Reads a file of the machine; throws when there is none. Default: the file system.
 */
export function metadataTimeoutMs(
  env: Environment,
  readText: (path: string) => string = (path) => readFileSync(path, 'latin1'),
): number | undefined {
  const isNamed = [
    'AWS_EC2_METADATA_SERVICE_ENDPOINT',
    'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI',
    'AWS_CONTAINER_CREDENTIALS_FULL_URI',
  ].some((name) => env[name])
  return isNamed || isEc2(readText) ? undefined : shortWaitMs
}

// Nitro instances say so in DMI, the older Xen ones in the hypervisor's UUID (EC2 User Guide,
// "Identify EC2 instances").
function isEc2(readText: (path: string) => string): boolean {
  return (
    startsWith(readText, '/sys/class/dmi/id/sys_vendor', 'amazon') ||
    startsWith(readText, '/sys/hypervisor/uuid', 'ec2')
  )
}

function startsWith(readText: (path: string) => string, path: string, start: string): boolean {
  try {
    return readText(path).toLowerCase().startsWith(start)
  } catch {
    return false // no such file: not this kind of machine
  }
}
