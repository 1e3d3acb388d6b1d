/** Range and Content-Range in bytes (RFC 9110 § 14). */

export type ContentRange = {
  readonly start: number
  /** Inclusive. */
  readonly end: number
  /** The whole size; undefined for `*`. */
  readonly total: number | undefined
}

/** The Range header for all bytes from `start` on. */
export function formatRangeFrom(start: number): string {
  return `bytes=${start}-`
}

/** Undefined when the header is missing or makes no sense. */
export function parseContentRange(header: string | undefined): ContentRange | undefined {
  const match = /^\s*bytes\s+(\d{1,16})-(\d{1,16})\/(\d{1,16}|\*)\s*$/i.exec(header ?? '')
  if (match === null) return undefined
  const start = Number(match[1])
  const end = Number(match[2])
  const total = match[3] === '*' ? undefined : Number(match[3])
  const isOrdered = start <= end && (total === undefined || end < total)
  return isOrdered && Number.isSafeInteger(end) ? { start, end, total } : undefined
}

export function formatContentRange(range: ContentRange): string {
  return `bytes ${range.start}-${range.end}/${range.total ?? '*'}`
}
