/** From a reference to the manifest of one platform: tag → (index →) digest. */
import { SregistryError } from '../errors/sregistry-error.ts'
import { computeDigest, type Digest, equalDigests, formatDigest } from './digest.ts'
import { maxManifestBytes } from './json-document.ts'
import { type Index, type Manifest, parseManifest } from './manifest.ts'
import { bareMediaType, isIndexType, manifestAccept } from './media-types.ts'
import { choosePlatform, type Platform } from './platform.ts'
import { formatReference, manifestName, type Reference } from './reference.ts'
import { isWebPage, webPage } from './registry-answer.ts'
import type { RegistrySession } from './registry-session.ts'

export type LocatedManifest = {
  readonly reference: Reference
  /** The platform that was asked for. */
  readonly platform: Platform
  /** Of the platform's manifest. */
  readonly manifestDigest: Digest
  /** Its size, as the index says or as it came. */
  readonly manifestBytes: number
  readonly indexDigest?: Digest
  /** Already here when the reference names no index. */
  readonly image?: { readonly manifest: Manifest; readonly bytes: Uint8Array }
}

export type LocatedImage = LocatedManifest & Required<Pick<LocatedManifest, 'image'>>

export type FetchOptions = {
  /** The size that an index gave. */
  readonly expectedBytes?: number
  readonly missingRetries?: number
  readonly signal?: AbortSignal
}

/** @throws {SregistryError} PLATFORM_MISSING; all that `fetchManifest` throws. */
export async function locateManifest(
  session: RegistrySession,
  reference: Reference,
  platform: Platform,
  signal: AbortSignal | undefined,
): Promise<LocatedManifest> {
  const options = signal === undefined ? {} : { signal }
  const top = await fetchManifest(session, reference, options)
  if (top.manifest.kind === 'manifest') {
    const image = { manifest: top.manifest, bytes: top.bytes }
    const manifestBytes = top.bytes.byteLength
    return { reference, platform, manifestDigest: top.digest, manifestBytes, image }
  }
  const entry = choosePlatform(top.manifest, platform)
  const found = isIndexType(entry.mediaType)
    ? await locateNested(session, reference, entry, platform, options)
    : entry
  return {
    reference,
    platform,
    manifestDigest: found.digest,
    manifestBytes: found.sizeBytes,
    indexDigest: top.digest,
  }
}

/**
 * A manifest or index, verified against the digest it was asked by, or hashed where a tag named it:
 * ECR sends no Docker-Content-Digest with a GET, so a header that is missing says nothing.
 * @throws {SregistryError} MANIFEST_UNKNOWN, NAME_UNKNOWN, DIGEST_MISMATCH, SIZE_MISMATCH,
 *   MANIFEST_INVALID, NOT_AN_IMAGE, PROTOCOL_ERROR; access and network.
 */
export async function fetchManifest(
  session: RegistrySession,
  reference: Reference,
  options: FetchOptions = {},
): Promise<{ manifest: Manifest | Index; bytes: Uint8Array; digest: Digest }> {
  const { repository } = reference
  const name = manifestName(reference)
  const what = formatReference(reference)
  const { host } = session.registry
  const asked = { host, repository, what, kind: 'manifest' } as const
  const { missingRetries, signal } = options
  const request = {
    url: new URL(`/v2/${repository}/manifests/${name}`, session.registry),
    asked,
    headers: { accept: manifestAccept },
    ...(missingRetries === undefined ? {} : { missingRetries }),
    ...(signal === undefined ? {} : { signal }),
  }
  const answer = await session.ask(request, maxManifestBytes)
  if (isWebPage(answer)) throw webPage(answer, asked)
  const digest = computeDigest(answer.bytes, reference.digest?.algorithm)
  checkDigest(digest, reference.digest, what, host)
  checkSize(answer.bytes.byteLength, options.expectedBytes, what)
  const contentType = bareMediaType(answer.headers['content-type'] ?? '')
  const manifest = parseManifest(answer.bytes, contentType, what)
  return { manifest, bytes: answer.bytes, digest }
}

/** One index within another is followed, for registries that group by build; no more (FAULTS § 3). */
async function locateNested(
  session: RegistrySession,
  reference: Reference,
  entry: { readonly digest: Digest; readonly sizeBytes: number },
  platform: Platform,
  options: FetchOptions,
) {
  const nested = await fetchManifest(
    session,
    { ...reference, digest: entry.digest },
    { ...options, expectedBytes: entry.sizeBytes, missingRetries: 2 },
  )
  return nested.manifest.kind === 'index' ? choosePlatform(nested.manifest, platform) : entry
}

function checkDigest(got: Digest, wanted: Digest | undefined, what: string, host: string): void {
  if (wanted === undefined || equalDigests(got, wanted)) return
  const message = `${what} from ${host} is not what its digest says: got ${formatDigest(got)}`
  throw new SregistryError('DIGEST_MISMATCH', message, {
    hint: 'a proxy may be changing answers; nothing was kept',
  })
}

function checkSize(got: number, wanted: number | undefined, what: string): void {
  if (wanted === undefined || got === wanted) return
  const sizes = `${got} bytes, where its index says ${wanted}`
  throw new SregistryError('SIZE_MISMATCH', `${what} has ${sizes}`)
}
