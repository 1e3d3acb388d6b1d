/**
 * One form for a tree of files, whoever shows it (records, our reader, a mounted file system), so that
 * two can be compared as a whole: path (latin1) to everything that is to be equal.
 */
import { createHash } from 'node:crypto'
import { lstatSync, readdirSync, readFileSync, readlinkSync, type Stats } from 'node:fs'
import type { SquashfsReader } from '../../src/squashfs/squashfs-reader.ts'
import type { DirectoryInode, FileInode, Inode } from './tree-records.ts'

export type SnapshotEntry = {
  readonly kind: string
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly mtime: number
  /** The first path of the same inode. */
  readonly inode: string
  readonly linkCount?: number
  /** Hash of the bytes, link target or device number. */
  readonly content?: string
}

export type Snapshot = Record<string, SnapshotEntry>

/** The tree of records that an image was made from. */
export function snapshotOfRecords(
  root: DirectoryInode,
  contents: ReadonlyMap<FileInode, Uint8Array>,
): Snapshot {
  const paths = new Map<Inode, string[]>()
  const snapshot: Record<string, SnapshotEntry> = {}
  const open: [string, Inode][] = [['', root]]
  const met: [string, Inode][] = []
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const [path, inode] = next
    met.push(next)
    paths.set(inode, [...(paths.get(inode) ?? []), path])
    if (inode.kind === 'directory') open.push(...entriesOf(inode, path))
  }
  for (const [path, inode] of met) {
    const names = paths.get(inode) ?? []
    const { kind, mode, uid, gid, mtime } = inode
    snapshot[path] = {
      ...{ kind, mode, uid, gid, mtime },
      inode: names.toSorted()[0] ?? '',
      ...(kind === 'directory' ? {} : { linkCount: names.length }),
      ...contentOfRecord(inode, contents),
    }
  }
  return snapshot
}

function entriesOf(directory: DirectoryInode, path: string): [string, Inode][] {
  return directory.entries.map(([name, inode]) => [path === '' ? name : `${path}/${name}`, inode])
}

function contentOfRecord(
  inode: Inode,
  contents: ReadonlyMap<FileInode, Uint8Array>,
): { content?: string } {
  if (inode.kind === 'file') return { content: hash(contents.get(inode) ?? new Uint8Array(0)) }
  if (inode.kind === 'symlink') return { content: inode.target }
  if ('major' in inode) return { content: `${inode.major}:${inode.minor}` }
  return {}
}

/** What our reader sees. */
export async function snapshotOfReader(reader: SquashfsReader): Promise<Snapshot> {
  const snapshot: Record<string, SnapshotEntry> = {}
  const firstPaths = new Map<number, string>()
  for await (const { path, inode } of reader.walk()) {
    const first = firstPaths.get(inode.number)
    if (first === undefined || path < first) firstPaths.set(inode.number, path)
  }
  for await (const { path, inode } of reader.walk()) {
    const { kind, mode, uid, gid, mtime, linkCount, number } = inode
    let content: { content?: string } = {}
    if (inode.kind === 'file') content = { content: hash(await collect(reader.read(inode))) }
    if (inode.kind === 'symlink') content = { content: inode.target }
    if ('major' in inode) content = { content: `${inode.major}:${inode.minor}` }
    snapshot[path] = {
      ...{ kind, mode, uid, gid, mtime },
      inode: firstPaths.get(number) ?? '',
      ...(kind === 'directory' ? {} : { linkCount }),
      ...content,
    }
  }
  return snapshot
}

async function collect(pieces: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const all: Uint8Array[] = []
  for await (const piece of pieces) all.push(piece)
  return Buffer.concat(all)
}

/** What the file system of this machine shows under a directory; every byte is read. */
export function snapshotOfDirectory(base: string): Snapshot {
  const met: [string, Stats][] = []
  const firstPaths = new Map<number, string>()
  const open = ['']
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    const stats = lstatSync(located(base, path))
    met.push([path, stats])
    const first = firstPaths.get(stats.ino)
    if (first === undefined || path < first) firstPaths.set(stats.ino, path)
    if (!stats.isDirectory()) continue
    for (const name of readdirSync(located(base, path), { encoding: 'buffer' })) {
      const text = name.toString('latin1')
      open.push(path === '' ? text : `${path}/${text}`)
    }
  }
  return Object.fromEntries(
    met.map(([path, stats]) => [
      path,
      describeFile(located(base, path), stats, firstPaths.get(stats.ino) ?? ''),
    ]),
  )
}

function located(base: string, path: string): Buffer {
  return Buffer.concat([Buffer.from(`${base}/`), Buffer.from(path, 'latin1')])
}

const kinds = new Map([
  [0o04, 'directory'],
  [0o10, 'file'],
  [0o12, 'symlink'],
  [0o02, 'char-device'],
  [0o06, 'block-device'],
  [0o01, 'fifo'],
  [0o14, 'socket'],
])

function describeFile(path: Buffer, stats: Stats, inode: string): SnapshotEntry {
  const kind = kinds.get(stats.mode >>> 12) ?? 'unknown'
  const { uid, gid, nlink } = stats
  return {
    ...{ kind, mode: stats.mode & 0o7777, uid, gid, inode },
    mtime: Math.floor(stats.mtimeMs / 1000),
    ...(kind === 'directory' ? {} : { linkCount: nlink }),
    ...contentOfFile(path, kind, stats),
  }
}

function contentOfFile(path: Buffer, kind: string, { rdev }: Stats): { content?: string } {
  if (kind === 'file') return { content: hash(readFileSync(path)) }
  if (kind === 'symlink') return { content: readlinkSync(path, 'latin1') }
  if (!kind.endsWith('-device')) return {}
  // the kernel's dev_t as stat(2) gives it
  const major = (rdev >>> 8) & 0xfff
  return { content: `${major}:${(rdev & 0xff) | ((rdev >>> 12) & 0xfff00)}` }
}

function hash(bytes: Uint8Array): string {
  return `${bytes.length} ${createHash('sha256').update(bytes).digest('hex')}`
}
