/** Layers made in memory: tar entries with fixed owners and times, so that same input gives same bytes. */
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { digestOf } from './blob-store.ts'

export type LayerEntry =
  | { readonly type: 'directory'; readonly path: string; readonly mode?: number }
  | {
      readonly type: 'file'
      readonly path: string
      readonly content: Uint8Array | string
      /** Default 0644. */
      readonly mode?: number
    }
  | { readonly type: 'symlink' | 'hardlink'; readonly path: string; readonly target: string }

export type LayerArchive = {
  /** The gzipped tar. */
  readonly bytes: Uint8Array
  readonly digest: string
  /** Digest of the tar before compression. */
  readonly diffId: string
}

/** Time of all that the seed makes: 2024-01-01. */
export const seedTimeMs: number = Date.UTC(2024, 0, 1)

const tarTypes = {
  directory: 'Directory',
  file: 'File',
  symlink: 'SymbolicLink',
  hardlink: 'Link',
} as const

const blockBytes = 512

/** @param entries Paths relative to the root, parents before what is in them. */
export async function layerArchive(entries: readonly LayerEntry[]): Promise<LayerArchive> {
  const { Header } = await import('tar')
  const parts = entries.flatMap((entry) => {
    const content = entry.type === 'file' ? Buffer.from(entry.content) : Buffer.alloc(0)
    const header = new Header({
      path: entry.type === 'directory' ? `${entry.path}/` : entry.path,
      type: tarTypes[entry.type],
      mode: modeOf(entry),
      size: content.byteLength,
      uid: 0,
      gid: 0,
      uname: 'root',
      gname: 'root',
      mtime: new Date(seedTimeMs),
      ...('target' in entry && { linkpath: entry.target }),
    })
    const block = Buffer.alloc(blockBytes)
    header.encode(block)
    return [
      block,
      content,
      Buffer.alloc((blockBytes - (content.byteLength % blockBytes)) % blockBytes),
    ]
  })
  const tar = Buffer.concat([...parts, Buffer.alloc(2 * blockBytes)])
  const bytes = await promisify(gzip)(tar, { level: 6 })
  return { bytes, digest: digestOf(bytes), diffId: digestOf(tar) }
}

function modeOf(entry: LayerEntry): number {
  if (entry.type === 'directory') return entry.mode ?? 0o755
  return entry.type === 'file' ? (entry.mode ?? 0o644) : 0o777
}

/** The directories above all of the paths, each before what is in it. */
export function parentDirectories(paths: readonly string[]): LayerEntry[] {
  const directories = new Set<string>()
  for (const path of paths) {
    const parts = path.split('/').slice(0, -1)
    parts.forEach((_, index) => {
      directories.add(parts.slice(0, index + 1).join('/'))
    })
  }
  return [...directories].sort().map((path) => ({ type: 'directory', path }))
}
