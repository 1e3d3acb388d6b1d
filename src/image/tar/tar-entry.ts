/**
 * What a header means together with the PAX and GNU headers before it (FORMATS § 3.2, § 3.3, § 3.4):
 * the entry as the image will hold it.
 */
import { maxPathBytes, normalisePath } from './entry-path.ts'
import { layerInvalid } from './layer-invalid.ts'
import type { PaxRecords } from './pax-records.ts'
import type { TarHeader } from './tar-header.ts'
import { parseDecimal, parsePaxTime } from './tar-number.ts'
import { xattrsOf } from './tar-xattrs.ts'

export type TarMetadata = {
  /** Normalised (entry-path.ts); empty for the root directory. */
  readonly path: string
  /** 12 bits. */
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** Seconds, clamped to unsigned 32 bits. */
  readonly mtime: number
  readonly xattrs: ReadonlyMap<string, Uint8Array> | undefined
}

export type TarEntry =
  | (TarMetadata & { readonly kind: 'directory' | 'fifo' })
  | (TarMetadata & { readonly kind: 'file'; readonly sizeBytes: number })
  | (TarMetadata & { readonly kind: 'symlink' | 'hardlink'; readonly target: string })
  | (TarMetadata & {
      readonly kind: 'char-device' | 'block-device'
      readonly major: number
      readonly minor: number
    })

/** What stood before a header and belongs to it alone. */
export type EntryPrefix = {
  readonly records: PaxRecords
  readonly longName: string | undefined
  readonly longLink: string | undefined
}

const maxId = 0xffffffff
/** What squashfs can store of device numbers (FORMATS § 1.7). */
const maxMajor = 0xfff
const maxMinor = 0xfffff

const kinds = new Map<string, TarEntry['kind']>([
  ['0', 'file'],
  ['\0', 'file'],
  ['7', 'file'],
  ['S', 'file'],
  ['1', 'hardlink'],
  ['2', 'symlink'],
  ['3', 'char-device'],
  ['4', 'block-device'],
  ['5', 'directory'],
  ['6', 'fifo'],
])

/** The name as it stands, and whether a body follows. */
export type EntryBody = { readonly name: string; readonly bodyBytes: number }

/**
 * Links, devices, directories and pipes have no body, whatever their size says (Go's reader, which
 * defines practice). A PAX size counts for files only.
 * @throws {SregistryError} LAYER_INVALID for an unknown type or a bad size.
 */
export function bodyOf(header: TarHeader, prefix: EntryPrefix): EntryBody {
  const name =
    prefix.records.get('GNU.sparse.name') ?? pax(prefix, 'path') ?? prefix.longName ?? header.name
  if (kinds.get(header.type) === undefined) {
    throw layerInvalid(`a tar entry of unknown type ${JSON.stringify(header.type)}`, name)
  }
  if (kinds.get(header.type) !== 'file') return { name, bodyBytes: 0 }
  const size = pax(prefix, 'size')
  const bodyBytes = size === undefined ? header.size : parseDecimal(size)
  if (bodyBytes === undefined || bodyBytes < 0) throw layerInvalid('a size makes no sense', name)
  return { name, bodyBytes }
}

/**
 * @param sizeBytes Size of the file with its holes; of no meaning for other kinds.
 * @throws {SregistryError} LAYER_INVALID for names, numbers and targets that no file system can hold.
 */
export function tarEntryOf(
  header: TarHeader,
  prefix: EntryPrefix,
  { name, sizeBytes }: { readonly name: string; readonly sizeBytes: number },
): TarEntry {
  const kind = kindOf(header, name)
  const metadata = metadataOf(header, prefix, name, kind)
  if (metadata.path === '' && kind !== 'directory') {
    throw layerInvalid(`the root of the image is a ${kind}`, name)
  }
  switch (kind) {
    case 'file':
      return { ...metadata, kind, sizeBytes }
    case 'symlink':
    case 'hardlink':
      return { ...metadata, kind, target: targetOf(header, prefix, name, kind) }
    case 'char-device':
    case 'block-device':
      return { ...metadata, kind, ...deviceOf(header, prefix, name) }
    default:
      return { ...metadata, kind }
  }
}

function kindOf(header: TarHeader, name: string): TarEntry['kind'] {
  const kind = kinds.get(header.type) ?? 'file'
  // the oldest archives, and GNU tar on reading: a trailing slash makes a directory
  return kind === 'file' && name.endsWith('/') ? 'directory' : kind
}

function metadataOf(
  header: TarHeader,
  prefix: EntryPrefix,
  name: string,
  kind: TarEntry['kind'],
): TarMetadata {
  const time = pax(prefix, 'mtime')
  const mtime = time === undefined ? header.mtime : parsePaxTime(time)
  if (mtime === undefined) throw layerInvalid('a time makes no sense', name)
  return {
    path: normalisePath(name),
    mode: ((header.mode % 0o10000) + 0o10000) % 0o10000,
    uid: idOf(header.uid, pax(prefix, 'uid'), name),
    gid: idOf(header.gid, pax(prefix, 'gid'), name),
    mtime: Math.min(Math.max(mtime, 0), 0xffffffff),
    xattrs: prefix.records.size === 0 ? undefined : xattrsOf(prefix.records, kind, name),
  }
}

function idOf(fromHeader: number, record: string | undefined, name: string): number {
  const id = record === undefined ? fromHeader : parseDecimal(record)
  if (id === undefined || id < 0 || id > maxId) {
    throw layerInvalid('a uid or gid makes no sense', name)
  }
  return id
}

function targetOf(
  header: TarHeader,
  prefix: EntryPrefix,
  name: string,
  kind: 'symlink' | 'hardlink',
): string {
  const target = pax(prefix, 'linkpath') ?? prefix.longLink ?? header.linkName
  if (target === '') throw layerInvalid('a link has no target', name)
  if (target.includes('\0')) throw layerInvalid('a link target contains a NUL byte', name)
  if (target.length > maxPathBytes) {
    throw layerInvalid(`a link target is longer than ${maxPathBytes} bytes`, name)
  }
  if (kind === 'symlink') return target
  const path = normalisePath(target)
  if (path === '') throw layerInvalid('a hard link points at the root directory', name)
  return path
}

function deviceOf(
  header: TarHeader,
  prefix: EntryPrefix,
  name: string,
): { readonly major: number; readonly minor: number } {
  const recordMajor = pax(prefix, 'SCHILY.devmajor')
  const recordMinor = pax(prefix, 'SCHILY.devminor')
  const major = recordMajor === undefined ? header.deviceMajor : parseDecimal(recordMajor)
  const minor = recordMinor === undefined ? header.deviceMinor : parseDecimal(recordMinor)
  if (!isWithin(major, maxMajor) || !isWithin(minor, maxMinor)) {
    throw layerInvalid('a device number is beyond what Linux has', name)
  }
  return { major, minor }
}

function isWithin(value: number | undefined, max: number): value is number {
  return value !== undefined && value >= 0 && value <= max
}

/** A record's value; an empty one only takes back a default (POSIX pax). */
function pax(prefix: EntryPrefix, key: string): string | undefined {
  const value = prefix.records.get(key)
  return value === '' ? undefined : value
}
