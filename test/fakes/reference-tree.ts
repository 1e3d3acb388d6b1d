/**
 * A directory tree on disk as records to compare: the reference that an image of ours must equal, made
 * by tools that share no code with us (umoci, unsquashfs, the kernel). Read by Python, whose `os` gives
 * names, device numbers and xattrs as bytes; Node has no call for xattrs.
 */
import { execFileSync } from 'node:child_process'

export type TreeRecord = {
  /** From the top, as a latin1 string, one char per byte; empty for the top itself. */
  readonly path: string
  readonly type:
    | 'directory'
    | 'file'
    | 'symlink'
    | 'char-device'
    | 'block-device'
    | 'fifo'
    | 'socket'
  /** 12 bits. */
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** Whole seconds. */
  readonly mtime: number
  /** Files only: bytes, and the sha256 of the content. */
  readonly size?: number
  readonly sha256?: string
  /** Symlinks only, latin1. */
  readonly target?: string
  /** Devices only. */
  readonly rdev?: readonly [major: number, minor: number]
  /** Full names, latin1, to values in hex; without those that the machine itself adds (selinux). */
  readonly xattrs: Readonly<Record<string, string>>
  /** All paths of the same inode, sorted, when there is more than one. */
  readonly links?: readonly string[]
}

const lister = `
import hashlib, json, os, stat, sys

top = os.fsencode(sys.argv[1])
kinds = {stat.S_IFDIR: 'directory', stat.S_IFREG: 'file', stat.S_IFLNK: 'symlink', stat.S_IFIFO: 'fifo',
         stat.S_IFCHR: 'char-device', stat.S_IFBLK: 'block-device', stat.S_IFSOCK: 'socket'}
records, groups = [], {}

def latin1(name): return name.decode('latin1')

def digest(path):
    sha256 = hashlib.sha256()
    with open(path, 'rb') as file:
        for block in iter(lambda: file.read(1 << 20), b''): sha256.update(block)
    return sha256.hexdigest()

def xattrs(path):
    names = [os.fsencode(name) for name in os.listxattr(path, follow_symlinks=False)]
    return {latin1(name): os.getxattr(path, name, follow_symlinks=False).hex()
            for name in sorted(names) if name != b'security.selinux'}

def visit(path, name):
    info = os.lstat(path)
    kind = kinds[stat.S_IFMT(info.st_mode)]
    record = dict(path=latin1(name), type=kind, mode=stat.S_IMODE(info.st_mode), uid=info.st_uid,
                  gid=info.st_gid, mtime=info.st_mtime_ns // 10**9, xattrs=xattrs(path))
    if kind == 'file': record.update(size=info.st_size, sha256=digest(path))
    if kind == 'symlink': record['target'] = latin1(os.readlink(path))
    if 'device' in kind: record['rdev'] = [os.major(info.st_rdev), os.minor(info.st_rdev)]
    records.append(record)
    if kind == 'directory':
        for child in os.listdir(path):
            visit(os.path.join(path, child), name + b'/' + child if name else child)
    else:
        groups.setdefault((info.st_dev, info.st_ino), []).append(record)

sys.setrecursionlimit(10000)
visit(top, b'')
for group in groups.values():
    if len(group) > 1:
        for record in group: record['links'] = sorted(other['path'] for other in group)
json.dump(sorted(records, key=lambda record: record['path']), sys.stdout)
`

/** Every entry of a tree, the top one too, sorted by the bytes of their paths. Needs python3. */
export function listTree(directory: string): readonly TreeRecord[] {
  const output = execFileSync('python3', ['-c', lister, directory], { maxBuffer: 1 << 30 })
  return JSON.parse(output.toString()) as readonly TreeRecord[]
}

export type TreeComparison = {
  /** Fields that may differ, such as the mtimes of directories that unpacking touched. */
  readonly ignore?: (record: TreeRecord) => readonly (keyof TreeRecord)[]
}

/** What differs between two trees, a line per difference, paths as JSON; empty when they are equal. */
export function treeDifferences(
  expected: readonly TreeRecord[],
  actual: readonly TreeRecord[],
  { ignore = () => [] }: TreeComparison = {},
): readonly string[] {
  const byPath = new Map(actual.map((record) => [record.path, record]))
  const differences = expected.flatMap((record) => {
    const other = byPath.get(record.path)
    byPath.delete(record.path)
    if (other === undefined) return [`missing: ${shown(record.path)}`]
    return recordDifferences(record, other, new Set(ignore(record)))
  })
  return [...differences, ...[...byPath.keys()].map((path) => `unexpected: ${shown(path)}`)]
}

function recordDifferences(
  expected: TreeRecord,
  actual: TreeRecord,
  ignored: ReadonlySet<keyof TreeRecord>,
): readonly string[] {
  const fields = Object.keys({ ...expected, ...actual }) as (keyof TreeRecord)[]
  return fields.flatMap((field) => {
    const [wanted, found] = [JSON.stringify(expected[field]), JSON.stringify(actual[field])]
    if (ignored.has(field) || wanted === found) return []
    return [`${shown(expected.path)}: ${field} is ${found}, not ${wanted}`]
  })
}

function shown(path: string): string {
  return JSON.stringify(Buffer.from(path, 'latin1').toString())
}
