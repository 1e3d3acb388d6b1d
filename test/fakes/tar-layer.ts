/**
 * Layers made by code: entries written as tar (POSIX ustar with PAX, or GNU, records), every name, owner,
 * time and attribute as the test says. Names are latin1 strings, one char per byte.
 */
export type LayerEntry = {
  readonly kind:
    | 'file'
    | 'directory'
    | 'symlink'
    | 'hardlink'
    | 'char-device'
    | 'block-device'
    | 'fifo'
  readonly path: string
  /** Default 0644 for files, 0755 for directories. */
  readonly mode?: number
  /** Default 0. */
  readonly uid?: number
  readonly gid?: number
  /** Seconds; default 1,700,000,000. */
  readonly mtime?: number
  readonly xattrs?: Readonly<Record<string, Uint8Array | string>>
  readonly content?: Uint8Array | string
  readonly target?: string
  readonly rdev?: readonly [major: number, minor: number]
  /** How a name over 100 bytes is written; default PAX. */
  readonly longNames?: 'pax' | 'gnu'
  /** A file of this size with `content` at these offsets and holes elsewhere (GNU sparse 1.0). */
  readonly sparse?: { readonly sizeBytes: number; readonly parts: readonly SparsePart[] }
}

export type SparsePart = { readonly offset: number; readonly bytes: Uint8Array }

type More = Omit<Partial<LayerEntry>, 'kind' | 'path'>

export function file(path: string, content: Uint8Array | string = '', more: More = {}): LayerEntry {
  return { kind: 'file', path, content, ...more }
}

export function directory(path: string, more: More = {}): LayerEntry {
  return { kind: 'directory', path, ...more }
}

export function symlink(path: string, target: string, more: More = {}): LayerEntry {
  return { kind: 'symlink', path, target, ...more }
}

export function hardlink(path: string, target: string, more: More = {}): LayerEntry {
  return { kind: 'hardlink', path, target, ...more }
}

export function special(
  kind: 'char-device' | 'block-device' | 'fifo',
  path: string,
  more: More = {},
): LayerEntry {
  return { kind, path, ...more }
}

/** Hides a path of the layers below. */
export function whiteout(path: string): LayerEntry {
  const slash = path.lastIndexOf('/') + 1
  return file(`${path.slice(0, slash)}.wh.${path.slice(slash)}`)
}

/** Hides all that the layers below put into a directory. */
export function opaque(path: string): LayerEntry {
  return file(path === '' ? '.wh..wh..opq' : `${path}/.wh..wh..opq`)
}

/** The entries as an uncompressed tar archive. */
export function tarLayer(entries: readonly LayerEntry[]): Buffer {
  return Buffer.concat([...entries.flatMap(entryBlocks), Buffer.alloc(1024)])
}

const typeFlags = {
  file: '0',
  hardlink: '1',
  symlink: '2',
  'char-device': '3',
  'block-device': '4',
  directory: '5',
  fifo: '6',
} as const

function entryBlocks(entry: LayerEntry): Buffer[] {
  const body = bodyOf(entry)
  const name = entry.kind === 'directory' ? `${entry.path}/` : entry.path
  const records = paxRecordsOf(entry, name)
  return [
    ...(entry.longNames === 'gnu' ? gnuLongNames(entry, name) : []),
    ...(records === '' ? [] : rawEntry('PaxHeaders/entry', 'x', Buffer.from(records, 'latin1'))),
    ustarHeader(entry, name, body.length),
    padded(body),
  ]
}

function bodyOf(entry: LayerEntry): Buffer {
  if (entry.kind !== 'file') return Buffer.alloc(0)
  if (entry.sparse === undefined) return Buffer.from(entry.content ?? '')
  const { parts } = entry.sparse
  const numbers = [parts.length, ...parts.flatMap(({ offset, bytes }) => [offset, bytes.length])]
  const map = padded(Buffer.from(numbers.map((number) => `${number}\n`).join('')))
  return Buffer.concat([map, ...parts.map(({ bytes }) => bytes)])
}

function paxRecordsOf(entry: LayerEntry, name: string): string {
  const records: [string, string][] = []
  if (entry.longNames !== 'gnu') {
    if (name.length > 100) records.push(['path', name])
    if ((entry.target ?? '').length > 100) records.push(['linkpath', entry.target ?? ''])
  }
  for (const field of ['uid', 'gid'] as const) {
    if ((entry[field] ?? 0) > 0o7777777) records.push([field, String(entry[field])])
  }
  for (const [key, value] of Object.entries(entry.xattrs ?? {})) {
    records.push([`SCHILY.xattr.${key}`, Buffer.from(value).toString('latin1')])
  }
  if (entry.sparse !== undefined) {
    records.push(['GNU.sparse.major', '1'], ['GNU.sparse.minor', '0'])
    records.push(['GNU.sparse.name', name], ['GNU.sparse.realsize', `${entry.sparse.sizeBytes}`])
  }
  return records.map(([key, value]) => paxRecord(key, value)).join('')
}

/** `LENGTH KEY=VALUE\n`, where the length counts itself (POSIX pax). */
function paxRecord(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`
  let length = rest.length + 1
  while (`${length}${rest}`.length !== length) length = `${length}${rest}`.length
  return `${length}${rest}`
}

function gnuLongNames(entry: LayerEntry, name: string): Buffer[] {
  const { target = '' } = entry
  return [
    ...(name.length > 100
      ? rawEntry('././@LongLink', 'L', Buffer.from(`${name}\0`, 'latin1'))
      : []),
    ...(target.length > 100
      ? rawEntry('././@LongLink', 'K', Buffer.from(`${target}\0`, 'latin1'))
      : []),
  ]
}

function rawEntry(name: string, flag: string, body: Buffer): Buffer[] {
  return [header({ name, flag, mode: 0o644, sizeBytes: body.length }), padded(body)]
}

function ustarHeader(entry: LayerEntry, name: string, sizeBytes: number): Buffer {
  const fitting = (id: number | undefined) => ((id ?? 0) > 0o7777777 ? 0 : (id ?? 0))
  return header({
    name,
    flag: typeFlags[entry.kind],
    mode: entry.mode ?? (entry.kind === 'directory' ? 0o755 : 0o644),
    uid: fitting(entry.uid),
    gid: fitting(entry.gid),
    sizeBytes,
    mtime: entry.mtime ?? 1_700_000_000,
    target: entry.target ?? '',
    rdev: entry.rdev ?? [0, 0],
  })
}

type HeaderFields = {
  readonly name: string
  readonly flag: string
  readonly mode: number
  readonly sizeBytes: number
  readonly uid?: number
  readonly gid?: number
  readonly mtime?: number
  readonly target?: string
  readonly rdev?: readonly [number, number]
}

function header(fields: HeaderFields): Buffer {
  const block = Buffer.alloc(512)
  const text = (value: string, at: number, width = 100) =>
    block.write(value.slice(0, width), at, 'latin1')
  const octal = (value: number, at: number, width: number) =>
    block.write(value.toString(8).padStart(width - 1, '0'), at, 'latin1')
  text(fields.name, 0)
  octal(fields.mode, 100, 8)
  octal(fields.uid ?? 0, 108, 8)
  octal(fields.gid ?? 0, 116, 8)
  octal(fields.sizeBytes, 124, 12)
  octal(fields.mtime ?? 0, 136, 12)
  text(fields.flag, 156)
  text(fields.target ?? '', 157)
  text('ustar\x0000', 257)
  octal(fields.rdev?.[0] ?? 0, 329, 8)
  octal(fields.rdev?.[1] ?? 0, 337, 8)
  block.fill(' ', 148, 156)
  const sum = block.reduce((total, byte) => total + byte, 0)
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
  return block
}

function padded(body: Buffer): Buffer {
  return Buffer.concat([body, Buffer.alloc((512 - (body.length % 512)) % 512)])
}
