/**
 * One 512-byte tar header (POSIX.1-1988 ustar, GNU tar, star, v7; FORMATS § 3.2): fields as they
 * stand, names as latin1 strings. What they mean together with PAX records is tar-entry.ts.
 */
import { layerInvalid } from './layer-invalid.ts'
import { parseHeaderNumber } from './tar-number.ts'

export const blockBytes = 512

export type TarHeader = {
  /** One character; NUL for the oldest archives' regular files. */
  readonly type: string
  /** With the ustar prefix where there is one. */
  readonly name: string
  readonly linkName: string
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly size: number
  readonly mtime: number
  readonly deviceMajor: number
  readonly deviceMinor: number
}

type Field = readonly [start: number, end: number]

/** Offsets of the fields (POSIX.1-1988, `struct posix_header`). */
const fields = {
  name: [0, 100],
  mode: [100, 108],
  uid: [108, 116],
  gid: [116, 124],
  size: [124, 136],
  mtime: [136, 148],
  checksum: [148, 156],
  linkName: [157, 257],
  magic: [257, 263],
  deviceMajor: [329, 337],
  deviceMinor: [337, 345],
  prefix: [345, 500],
  /** star keeps times after a shorter prefix and marks itself at the end of the block. */
  starPrefix: [345, 476],
  starTrailer: [508, 512],
} as const satisfies Record<string, Field>

const typeOffset = 156

/**
 * @throws {SregistryError} LAYER_INVALID for a wrong checksum or a field that is no number.
 */
export function parseTarHeader(block: Buffer): TarHeader {
  checkSum(block)
  const magic = latin1(block, fields.magic)
  const name = prefixOf(block, magic) + text(block, fields.name)
  const hasDevice = magic.startsWith('ustar')
  const number = (field: Field, what: string) => headerNumber(block, field, what, name)
  return {
    type: String.fromCharCode(block[typeOffset] ?? 0),
    name,
    linkName: text(block, fields.linkName),
    mode: number(fields.mode, 'mode'),
    uid: number(fields.uid, 'uid'),
    gid: number(fields.gid, 'gid'),
    size: number(fields.size, 'size'),
    mtime: number(fields.mtime, 'time'),
    deviceMajor: hasDevice ? number(fields.deviceMajor, 'device number') : 0,
    deviceMinor: hasDevice ? number(fields.deviceMinor, 'device number') : 0,
  }
}

const zeroBlock = Buffer.alloc(blockBytes)

/** Two of these end an archive. */
export function isZeroBlock(block: Buffer): boolean {
  return block.equals(zeroBlock)
}

/** GNU headers keep times and the sparse map where POSIX has the prefix. */
function prefixOf(block: Buffer, magic: string): string {
  if (magic !== 'ustar\0') return ''
  const isStar = latin1(block, fields.starTrailer) === 'tar\0'
  const prefix = text(block, isStar ? fields.starPrefix : fields.prefix)
  return prefix === '' ? '' : `${prefix}/`
}

/** Sum of all bytes with the field itself as spaces; some old writers summed signed bytes. */
function checkSum(block: Buffer): void {
  const [start, end] = fields.checksum
  const expected = parseHeaderNumber(block.subarray(start, end))
  let sum = 0
  for (let i = 0; i < blockBytes; i += 1) sum += block[i] ?? 0
  for (let i = start; i < end; i += 1) sum += 0x20 - (block[i] ?? 0)
  if (sum === expected || signedSum(block) === expected) return
  throw layerInvalid('the checksum of a tar header is wrong')
}

function signedSum(block: Buffer): number {
  const [start, end] = fields.checksum
  let sum = 0x20 * (end - start)
  for (let i = 0; i < blockBytes; i += 1) {
    if (i < start || i >= end) sum += block.readInt8(i)
  }
  return sum
}

function headerNumber(block: Buffer, [start, end]: Field, what: string, name: string): number {
  const value = parseHeaderNumber(block.subarray(start, end))
  if (value === undefined) throw layerInvalid(`the ${what} in a tar header is no number`, name)
  return value
}

/** Up to the first NUL, or the whole field. */
function text(block: Buffer, [start, end]: Field): string {
  let stop = start
  while (stop < end && block[stop] !== 0) stop += 1
  return block.toString('latin1', start, stop)
}

function latin1(block: Buffer, [start, end]: Field): string {
  return block.toString('latin1', start, end)
}
