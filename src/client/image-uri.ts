/** The names of a pulled image: the full one of the catalogue, and the short one of the output. */
import { formatDigest } from '../registry/digest.ts'
import { formatReference, type Reference, type ReferenceScheme } from '../registry/reference.ts'
import type { ImageNames } from '../storage/image-name.ts'

/** `aws://HOST/library/busybox:latest`; a digest takes the place of a tag that is not given. */
export function imageUri(scheme: ReferenceScheme, host: string, reference: Reference): string {
  const { repository } = reference
  return formatReference({ scheme, registry: host, repository, ...tagOrDigest(reference) })
}

/**
 * Key of the record: the image's URI, and the file's name behind it where it is not the usual one, so
 * that several files of one reference each have their record.
 */
export function recordUri(
  uri: string,
  file: {
    readonly names: ImageNames
    readonly fileName: string
    readonly format: 'squashfs' | 'sif'
  },
): string {
  const { names, fileName, format } = file
  return format === 'squashfs' && fileName === names.plain ? uri : `${uri}#${fileName}`
}

/** The label in which Singularity's builds, and ours, say what an image was made of. */
export const sourceLabel = 'org.label-schema.usage.singularity.deffile.from'

/** What an image says it was made of: by digest, so that every tag of it gives the same file. */
export function sourceName(host: string, repository: string, digest: string): string {
  return `${host}/${repository}@${digest}`
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
