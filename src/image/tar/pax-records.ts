/**
 * PAX extended headers (POSIX.1-2001 pax; FORMATS § 3.3): `LENGTH KEY=VALUE\n`, LENGTH in bytes of the
 * whole record, so values may hold newlines, NULs and any byte. Keys and values are latin1 strings.
 */
import { layerInvalid } from './layer-invalid.ts'
import { parseDecimal } from './tar-number.ts'

export type PaxRecords = ReadonlyMap<string, string>

/** Longest LENGTH text: a body is at most 1 MiB. */
const maxLengthDigits = 8

/**
 * Parses the body of an `x` or `g` header. Repeated keys: the last counts, but GNU.sparse.offset and
 * .numbytes, which GNU sparse 0.0 repeats, are joined into one GNU.sparse.map as 0.1 writes it.
 * @throws {SregistryError} LAYER_INVALID where a record breaks the form.
 */
export function parsePaxRecords(body: Buffer): Map<string, string> {
  const records = new Map<string, string>()
  const sparse: string[] = []
  let offset = 0
  while (offset < body.length) {
    const { key, value, end } = parseRecord(body, offset)
    if (key === 'GNU.sparse.offset' || key === 'GNU.sparse.numbytes') sparse.push(value)
    else records.set(key, value)
    offset = end
  }
  if (sparse.length > 0) records.set('GNU.sparse.map', sparse.join(','))
  return records
}

type PaxRecord = { readonly key: string; readonly value: string; readonly end: number }

function parseRecord(body: Buffer, offset: number): PaxRecord {
  const space = body.indexOf(0x20, offset)
  const digits =
    space < 0 ? '' : body.toString('latin1', offset, Math.min(space, offset + maxLengthDigits))
  const length = parseDecimal(digits)
  const end = offset + (length ?? 0)
  if (length === undefined || space >= end || end > body.length || body[end - 1] !== 0x0a) {
    throw layerInvalid('the length of a PAX record is wrong')
  }
  const equals = body.indexOf(0x3d, space)
  if (equals <= space + 1 || equals >= end) throw layerInvalid('a PAX record has no key')
  return {
    key: body.toString('latin1', space + 1, equals),
    value: body.toString('latin1', equals + 1, end - 1),
    end,
  }
}

/** Keys of global headers that would give many entries one name, size or map: readers disagree on them. */
const entryKeys = /^(path|linkpath|size|GNU\.sparse\..*|SCHILY\.xattr\..*|LIBARCHIVE\.xattr\..*)$/

/**
 * Takes over the records of a `g` header as defaults for later entries.
 * @throws {SregistryError} LAYER_INVALID for records that can only belong to a single entry.
 */
export function mergeGlobalRecords(globals: Map<string, string>, records: PaxRecords): void {
  for (const [key, value] of records) {
    if (entryKeys.test(key)) throw layerInvalid(`a global PAX header sets ${key} for all entries`)
    if (value === '') globals.delete(key)
    else globals.set(key, value)
  }
}
