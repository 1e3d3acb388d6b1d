/** Content digests (OCI image spec, descriptor.md § Digests). Strings end here. */
import { createHash } from 'node:crypto'
import { SregistryError } from '../errors/sregistry-error.ts'

export type Digest = { readonly algorithm: 'sha256' | 'sha512'; readonly hex: string }

const hexLength = { sha256: 64, sha512: 128 } as const

/**
 * @throws {SregistryError} MANIFEST_INVALID for an unknown algorithm, upper case or a wrong length:
 *   a digest becomes part of paths and URLs, so nothing else may pass (CVE-2024-3727).
 */
export function parseDigest(text: string): Digest {
  const match = /^(sha256|sha512):([0-9a-f]+)$/.exec(text)
  const algorithm = match?.[1] as Digest['algorithm'] | undefined
  const hex = match?.[2]
  if (algorithm === undefined || hex === undefined || hex.length !== hexLength[algorithm]) {
    throw new SregistryError('MANIFEST_INVALID', `"${text.slice(0, 80)}" is not a digest`)
  }
  return { algorithm, hex }
}

export function formatDigest(digest: Digest): string {
  return `${digest.algorithm}:${digest.hex}`
}

export function equalDigests(a: Digest, b: Digest): boolean {
  return a.algorithm === b.algorithm && a.hex === b.hex
}

/** The digest of bytes that are here in whole. */
export function computeDigest(
  bytes: Uint8Array,
  algorithm: Digest['algorithm'] = 'sha256',
): Digest {
  return { algorithm, hex: createHash(algorithm).update(bytes).digest('hex') }
}
