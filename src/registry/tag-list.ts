/** Lists of tags and their pages (distribution spec § Listing tags; Link, RFC 8288). */
import { SregistryError } from '../errors/sregistry-error.ts'
import { isJsonObject, own } from './json-document.ts'

/** ECR refuses more than 1,000 a page. */
export const tagPageSize = 1000
export const maxTagPageBytes: number = 4 * 1024 * 1024

/**
 * The tags of one page. The type of the answer is not asked: ECR sends JSON as text/plain.
 * @throws {SregistryError} PROTOCOL_ERROR when it is no list of tags.
 */
export function readTagPage(bytes: Uint8Array, host: string): readonly string[] {
  const tags = parseTags(bytes)
  if (tags === undefined) {
    throw new SregistryError('PROTOCOL_ERROR', `${host} answered with something else than tags`)
  }
  return tags
}

/**
 * The next page, as the answer's Link header names it; undefined after the last one.
 * @throws {SregistryError} PROTOCOL_ERROR when it lies on another origin: credentials would go there.
 */
export function nextPage(link: string | undefined, current: URL): URL | undefined {
  const target = /<([^>]*)>[^<]*;\s*rel\s*=\s*"?next"?(?:[\s;,]|$)/i.exec(link ?? '')?.[1]
  if (target === undefined) return undefined
  const next = URL.canParse(target, current.href) ? new URL(target, current) : undefined
  if (next?.origin !== current.origin) {
    const where = next === undefined ? 'nowhere' : next.host
    throw new SregistryError(
      'PROTOCOL_ERROR',
      `${current.host} continues its list of tags on ${where}`,
    )
  }
  return next
}

function parseTags(bytes: Uint8Array): readonly string[] | undefined {
  try {
    const document: unknown = JSON.parse(new TextDecoder().decode(bytes))
    if (!isJsonObject(document)) return undefined
    // a repository without tags says null
    const tags = own(document, 'tags') ?? []
    if (!Array.isArray(tags)) return undefined
    return tags.every((tag) => typeof tag === 'string') ? tags : undefined
  } catch {
    // told by the caller, which knows the host
    return undefined
  }
}
