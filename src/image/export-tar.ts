/**
 * The tree of a squashfs image as a tar archive: owners, modes, times, devices, hard links and xattrs as
 * in the image. ustar headers by npm tar, PAX records for what they cannot hold (FORMATS § 3.3).
 */
import { isUtf8 } from 'node:buffer'
import type { Header } from 'tar'
import type { SquashfsReader, WalkedEntry } from '../squashfs/squashfs-reader.ts'
import { encodePaxRecords, type PaxRecord } from './tar/pax-writer.ts'

export type ExportOptions = {
  /** Told what an archive cannot hold: sockets. */
  readonly onNote?: ((text: string) => void) | undefined
  readonly signal?: AbortSignal | undefined
}

const blockBytes = 512
/** The names of a ustar header; longer ones go into PAX records. */
const maxHeaderName = 100
/** Seven octal digits; larger ids go into PAX records. */
const maxHeaderId = 0o7777777
/** Eleven octal digits. */
const maxHeaderSize = 0o77777777777

const tarTypes = {
  directory: 'Directory',
  file: 'File',
  symlink: 'SymbolicLink',
  'char-device': 'CharacterDevice',
  'block-device': 'BlockDevice',
  fifo: 'FIFO',
} as const

/** What a header says, names as latin1 strings. */
type TarEntry = {
  readonly path: string
  readonly type: (typeof tarTypes)[keyof typeof tarTypes] | 'Link'
  readonly sizeBytes: number
  readonly target?: string
}

/** @throws {SregistryError} IMAGE_INVALID, CANCELLED, STORAGE. */
export async function* exportTree(
  image: SquashfsReader,
  options: ExportOptions = {},
): AsyncGenerator<Uint8Array> {
  const archive = new TarArchive(image, (await import('tar')).Header)
  const { signal } = options
  for await (const walked of image.walk(signal === undefined ? {} : { signal })) {
    if (walked.inode.kind === 'socket') {
      options.onNote?.(`/${walked.path} is a socket, which an archive cannot hold`)
      continue
    }
    yield* archive.entry(walked, signal)
  }
  yield Buffer.alloc(2 * blockBytes)
}

class TarArchive {
  readonly #image: SquashfsReader
  readonly #Header: typeof Header
  /** First path of inodes that have several, by inode number. */
  readonly #linked = new Map<number, string>()

  constructor(image: SquashfsReader, header: typeof Header) {
    this.#image = image
    this.#Header = header
  }

  async *entry(walked: WalkedEntry, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
    const { inode } = walked
    const entry = this.#entryOf(walked)
    const records = paxRecords(entry, inode)
    if (entry.type !== 'Link') {
      for (const [name, value] of (await this.#image.xattrs(inode)) ?? []) {
        records.push([`SCHILY.xattr.${name}`, Buffer.from(value).toString('latin1')])
      }
    }
    if (records.length > 0) yield this.#paxHeader(records)
    yield this.#header(entry, inode)
    if (entry.type !== 'File' || inode.kind !== 'file') return
    yield* this.#image.read(inode, { signal })
    yield padding(inode.sizeBytes)
  }

  #entryOf({ path, inode }: WalkedEntry): TarEntry {
    if (inode.kind === 'directory') {
      return { path: path === '' ? './' : `${path}/`, type: 'Directory', sizeBytes: 0 }
    }
    const first = this.#linked.get(inode.number)
    if (first !== undefined) return { path, type: 'Link', sizeBytes: 0, target: first }
    if (inode.linkCount > 1) this.#linked.set(inode.number, path)
    const sizeBytes = inode.kind === 'file' ? inode.sizeBytes : 0
    const type = tarTypes[inode.kind as keyof typeof tarTypes]
    return { path, type, sizeBytes, ...(inode.kind === 'symlink' ? { target: inode.target } : {}) }
  }

  #header(entry: TarEntry, inode: WalkedEntry['inode']): Buffer {
    const block = Buffer.alloc(blockBytes)
    const isDevice = inode.kind === 'char-device' || inode.kind === 'block-device'
    new this.#Header({
      path: headerName(entry.path),
      type: entry.type,
      mode: inode.mode,
      uid: Math.min(inode.uid, maxHeaderId),
      gid: Math.min(inode.gid, maxHeaderId),
      size: entry.sizeBytes,
      mtime: new Date(inode.mtime * 1000),
      ...(entry.target === undefined ? {} : { linkpath: headerName(entry.target) }),
      ...(isDevice ? { devmaj: inode.major, devmin: inode.minor } : {}),
    }).encode(block)
    return block
  }

  #paxHeader(records: readonly PaxRecord[]): Buffer {
    const body = encodePaxRecords(records)
    const block = Buffer.alloc(blockBytes)
    const facts = { path: 'PaxHeader/entry', mode: 0o644, uid: 0, gid: 0, mtime: new Date(0) }
    new this.#Header({ ...facts, type: 'ExtendedHeader', size: body.length }).encode(block)
    return Buffer.concat([block, body, padding(body.length)])
  }
}

function paxRecords({ path, target, sizeBytes }: TarEntry, inode: WalkedEntry['inode']) {
  const records: PaxRecord[] = []
  const names = [path, target ?? ''].map((name) => Buffer.from(name, 'latin1'))
  if (!names.every((name) => isUtf8(name))) records.push(['hdrcharset', 'BINARY'])
  if (!fitsHeader(path)) records.push(['path', path])
  if (target !== undefined && !fitsHeader(target)) records.push(['linkpath', target])
  if (sizeBytes > maxHeaderSize) records.push(['size', String(sizeBytes)])
  if (inode.uid > maxHeaderId) records.push(['uid', String(inode.uid)])
  if (inode.gid > maxHeaderId) records.push(['gid', String(inode.gid)])
  return records
}

function fitsHeader(name: string): boolean {
  return name.length <= maxHeaderName && /^[\x20-\x7e]*$/.test(name)
}

/** For readers without PAX: something short and plain. */
function headerName(name: string): string {
  return fitsHeader(name) ? name : name.replaceAll(/[^\x20-\x7e]/g, '_').slice(-maxHeaderName)
}

function padding(sizeBytes: number): Buffer {
  return Buffer.alloc((blockBytes - (sizeBytes % blockBytes)) % blockBytes)
}
