/** Headers and trailers of gzip members (RFC 1952 § 2.3). */

export const gzipTrailerBytes = 8

const fixedBytes = 10
const deflateMethod = 8
const flags = { headerChecksum: 2, extra: 4, name: 8, comment: 16, reserved: 0xe0 }

export type GzipHeader =
  | { readonly status: 'header'; readonly sizeBytes: number }
  | { readonly status: 'cut' | 'none' }

/** The header that bytes begin with; `cut` when more bytes are needed to tell. */
export function findGzipHeader(bytes: Uint8Array): GzipHeader {
  if (!startsMember(bytes)) return { status: 'none' }
  if (bytes.length < fixedBytes) return { status: 'cut' }
  const flag = bytes[3] ?? 0
  let at: number | undefined = fixedBytes
  if (flag & flags.extra) at = afterExtra(bytes, at)
  if (flag & flags.name) at = afterText(bytes, at)
  if (flag & flags.comment) at = afterText(bytes, at)
  if (at !== undefined && flag & flags.headerChecksum) at += 2
  if (at === undefined || at > bytes.length) return { status: 'cut' }
  return { status: 'header', sizeBytes: at }
}

function startsMember(bytes: Uint8Array): boolean {
  const magic = [0x1f, 0x8b, deflateMethod]
  if (magic.some((byte, i) => i < bytes.length && bytes[i] !== byte)) return false
  return ((bytes[3] ?? 0) & flags.reserved) === 0
}

function afterExtra(bytes: Uint8Array, at: number): number | undefined {
  const [low, high] = [bytes[at], bytes[at + 1]]
  return low === undefined || high === undefined ? undefined : at + 2 + low + 256 * high
}

function afterText(bytes: Uint8Array, at: number | undefined): number | undefined {
  if (at === undefined) return undefined
  const end = bytes.indexOf(0, at)
  return end < 0 ? undefined : end + 1
}
