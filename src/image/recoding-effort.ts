import type { RecodingEffort } from '../deflate/recoder.ts'
import type { Compression } from '../squashfs/compression.ts'

/**
 * How a gzip layer is recoded for a level (bench/README.md has what each costs and saves); undefined for
 * what looks for every match anew: levels above what layers are written with, and other compressions.
 */
export function recodingEffort({ kind, level }: Compression): RecodingEffort | undefined {
  if (kind !== 'gzip' || level > 6) return undefined
  if (level === 6) return { tries: 32, doubtfulLength: 32 }
  if (level === 5) return { tries: 16, doubtfulLength: 32 }
  return { tries: 8, doubtfulLength: level === 4 ? 16 : 0 }
}
