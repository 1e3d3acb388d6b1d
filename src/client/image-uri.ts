/** The names of a pulled image: the full one of the catalogue, and the short one of the output. */
import { formatDigest } from '../registry/digest.ts'
import { formatReference, type Reference, type ReferenceScheme } from '../registry/reference.ts'

/** `aws://HOST/library/busybox:latest`; a digest takes the place of a tag that is not given. */
export function imageUri(scheme: ReferenceScheme, host: string, reference: Reference): string {
  const { repository } = reference
  return formatReference({ scheme, registry: host, repository, ...tagOrDigest(reference) })
}

/** `library/busybox:latest` */
export function imageTitle(reference: Reference): string {
  return formatReference({ repository: reference.repository, ...tagOrDigest(reference) })
}

/** The tag, or what stands for it in names of files and records: `latest`, or a pinned digest. */
export function tagOf(reference: Reference): string {
  if (reference.tag !== undefined) return reference.tag
  return reference.digest === undefined ? 'latest' : formatDigest(reference.digest)
}

function tagOrDigest({ tag, digest }: Reference): Pick<Reference, 'tag' | 'digest'> {
  if (tag !== undefined) return { tag }
  return digest === undefined ? { tag: 'latest' } : { digest }
}
