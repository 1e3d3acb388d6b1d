/**
 * GNU sparse files (GNU tar manual, "Storing Sparse Files"; FORMATS § 3.3): where the stored bytes
 * belong in the file. Old GNU keeps the map in the header, PAX 0.0 and 0.1 in records, PAX 1.0 at the
 * start of the body.
 */
import { layerInvalid } from './layer-invalid.ts'
import type { PaxRecords } from './pax-records.ts'
import { parseDecimal, parseHeaderNumber } from './tar-number.ts'

export type SparseSegment = { readonly offset: number; readonly sizeBytes: number }

/** How a file with holes is stored. */
export type SparseForm =
  | { readonly form: 'header'; readonly realSize: number }
  | { readonly form: 'records'; readonly realSize: number; readonly map: readonly SparseSegment[] }
  | { readonly form: 'body'; readonly realSize: number }

/** Offsets in an old GNU header and in its extension blocks. */
const headerMap = { start: 386, segments: 4, isExtended: 482, realSize: 483 } as const
const extensionMap = { start: 0, segments: 21, isExtended: 504 } as const
const numberBytes = 12

/**
 * How the entry after these headers is sparse, or undefined when it is not.
 * @throws {SregistryError} LAYER_INVALID for a form that is not known.
 */
export function sparseFormOf(
  block: Buffer,
  type: string,
  records: PaxRecords,
  name: string,
): SparseForm | undefined {
  if (type === 'S') {
    const field = block.subarray(headerMap.realSize, headerMap.realSize + numberBytes)
    return { form: 'header', realSize: checked(parseHeaderNumber(field), name) }
  }
  const version = `${records.get('GNU.sparse.major') ?? ''}.${records.get('GNU.sparse.minor') ?? ''}`
  const map = records.get('GNU.sparse.map')
  if (version === '1.0') {
    const size = records.get('GNU.sparse.realsize')
    return { form: 'body', realSize: checked(parseDecimal(size ?? ''), name) }
  }
  if (map !== undefined) {
    const size = records.get('GNU.sparse.size') ?? records.get('GNU.sparse.realsize')
    const realSize = checked(parseDecimal(size ?? ''), name)
    return { form: 'records', realSize, map: segmentsOf(map === '' ? [] : map.split(','), name) }
  }
  if (version !== '.') throw layerInvalid(`a sparse file of unknown form ${version}`, name)
  return undefined
}

/** The segments of an old GNU header or extension block, and whether another block follows. */
export function parseSparseBlock(
  block: Buffer,
  isHeader: boolean,
  name: string,
): { readonly segments: readonly SparseSegment[]; readonly isExtended: boolean } {
  const layout = isHeader ? headerMap : extensionMap
  const segments: SparseSegment[] = []
  for (let i = 0; i < layout.segments; i += 1) {
    const start = layout.start + i * 2 * numberBytes
    if (block[start] === 0) break // unused slots follow
    segments.push({
      offset: checked(parseHeaderNumber(block.subarray(start, start + numberBytes)), name),
      sizeBytes: checked(
        parseHeaderNumber(block.subarray(start + numberBytes, start + 2 * numberBytes)),
        name,
      ),
    })
  }
  return { segments, isExtended: block[layout.isExtended] !== 0 }
}

/** Whether a PAX 1.0 map is complete in these first lines of a body: count, then two lines a segment. */
export function parseBodyMap(text: string, name: string): readonly SparseSegment[] | undefined {
  const firstEnd = text.indexOf('\n')
  if (firstEnd < 0) {
    if (text.length > numberBytes * 2) throw badMap(name)
    return undefined
  }
  const count = checked(parseDecimal(text.slice(0, firstEnd)), name)
  const lines = text.split('\n', 1 + count * 2 + 1)
  // the last piece is what follows the last newline, so it is no line
  if (lines.length < 1 + count * 2 + 1) return undefined
  return segmentsOf(lines.slice(1, 1 + count * 2), name)
}

/** @throws {SregistryError} LAYER_INVALID unless segments ascend, don't overlap and hold the whole body. */
export function checkSparseMap(
  map: readonly SparseSegment[],
  realSize: number,
  storedBytes: number,
  name: string,
): void {
  let end = 0
  let stored = 0
  for (const { offset, sizeBytes } of map) {
    if (offset < end || offset + sizeBytes > realSize) throw badMap(name)
    end = offset + sizeBytes
    stored += sizeBytes
  }
  if (stored !== storedBytes) throw badMap(name)
}

function segmentsOf(numbers: readonly string[], name: string): SparseSegment[] {
  if (numbers.length % 2 !== 0) throw badMap(name)
  const segments: SparseSegment[] = []
  for (let i = 0; i < numbers.length; i += 2) {
    segments.push({
      offset: checked(parseDecimal(numbers[i] ?? ''), name),
      sizeBytes: checked(parseDecimal(numbers[i + 1] ?? ''), name),
    })
  }
  return segments
}

function checked(value: number | undefined, name: string): number {
  if (value === undefined || value < 0) throw badMap(name)
  return value
}

function badMap(name: string): Error {
  return layerInvalid('the map of a sparse file makes no sense', name)
}
