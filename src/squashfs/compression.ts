/**
 * What blocks are compressed with: the parameters, how people write them (`gzip`, `gzip:9`, `zstd:15`,
 * `none`), and their squashfs compressor ids (squashfs 4.0 superblock, offset 20).
 */
import { SregistryError } from '../errors/sregistry-error.ts'

export type Compression = {
  readonly kind: 'gzip' | 'zstd' | 'none'
  /** gzip 1–9, zstd 1–19; 0 for none. */
  readonly level: number
}

/** Level 5: within 1 % of level 6's size in three quarters of its time (DESIGN § 2). */
export const defaultCompression: Compression = { kind: 'gzip', level: 5 }

const levels = {
  gzip: { default: 5, highest: 9 },
  zstd: { default: 6, highest: 19 },
} as const

/**
 * Parses `gzip`, `gzip:LEVEL`, `zstd`, `zstd:LEVEL` or `none`.
 * @throws {SregistryError} USAGE for anything else.
 */
export function parseCompression(text: string): Compression {
  const [kind, levelText] = text.split(':')
  if (kind === 'none' && levelText === undefined) return { kind, level: 0 }
  if (kind === 'gzip' || kind === 'zstd') {
    const level = levelText === undefined ? levels[kind].default : Number(levelText)
    if (Number.isInteger(level) && level >= 1 && level <= levels[kind].highest)
      return { kind, level }
  }
  throw new SregistryError('USAGE', `unknown compression "${text}"`, {
    hint: 'gzip, gzip:1 to gzip:9, zstd, zstd:1 to zstd:19, or none',
  })
}

export function formatCompression(compression: Compression): string {
  return compression.kind === 'none' ? 'none' : `${compression.kind}:${compression.level}`
}
