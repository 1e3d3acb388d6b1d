import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { listTree, type TreeRecord, treeDifferences } from './reference-tree.ts'
import { hasTool, isRoot } from './tools.ts'

let top: string
beforeEach(() => {
  top = mkdtempSync(join(tmpdir(), 'sregistry-tree-'))
})
afterEach(() => rmSync(top, { recursive: true, force: true }))

/** Runs shell commands in the tree, then gives the tree one time. */
function build(commands: string): readonly TreeRecord[] {
  execFileSync(
    'bash',
    ['-ec', `umask 022; ${commands}\nfind . -depth -exec touch -h -d @1000 {} +`],
    {
      cwd: top,
    },
  )
  return listTree(top)
}

const owner = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 }
const common = { ...owner, mtime: 1000, xattrs: {} }
const python = hasTool('python3') && hasTool('bash')

test.skipIf(!python)('files, directories, symlinks and pipes with all that makes them', () => {
  const records = build(
    `mkdir -m 1777 d; printf hello > d/f; chmod 4750 d/f; ln -s '../x y' d/s; mkfifo -m 600 p; chmod 700 .`,
  )
  const sha256 = createHash('sha256').update('hello').digest('hex')
  expect(records).toEqual([
    { ...common, path: '', type: 'directory', mode: 0o700 },
    { ...common, path: 'd', type: 'directory', mode: 0o1777 },
    { ...common, path: 'd/f', type: 'file', mode: 0o4750, size: 5, sha256 },
    { ...common, path: 'd/s', type: 'symlink', mode: 0o777, target: '../x y' },
    { ...common, path: 'p', type: 'fifo', mode: 0o600 },
  ])
})

test.skipIf(!python)('names and targets that are no UTF-8 keep their bytes', () => {
  const records = build(`printf x > $'\\xff\\n'; ln -s $'\\xfe' $'\\xc3\\xbc'`)
  expect(records.map(({ path, target }) => [path, target])).toEqual([
    ['', undefined],
    ['\u00c3\u00bc', '\u00fe'],
    ['\u00ff\n', undefined],
  ])
})

test.skipIf(!python)('hard links know each other, across directories', () => {
  const records = build('mkdir d; printf 1 > b; ln b a; ln b d/c; printf 1 > alone')
  const links = ['a', 'b', 'd/c']
  expect(records.flatMap((one) => (one.links ? [[one.path, one.links]] : []))).toEqual(
    links.map((path) => [path, links]),
  )
})

test.skipIf(!python || !isRoot)('devices, owners and xattrs', () => {
  const records = build(
    `mknod c c 1 3; mknod b b 259 300000; printf x > f; chown 70000:4294967294 f; setfattr -n trusted.t -v 0x00ff f; setfattr -n security.capability -v 0x0100000200000000000000000000000000000000 f; touch f`,
  )
  expect(records.find(({ path }) => path === 'c')).toMatchObject({
    type: 'char-device',
    rdev: [1, 3],
  })
  expect(records.find(({ path }) => path === 'b')).toMatchObject({
    type: 'block-device',
    rdev: [259, 300_000],
  })
  expect(records.find(({ path }) => path === 'f')).toMatchObject({
    ...{ uid: 70_000, gid: 4_294_967_294 },
    xattrs: { 'security.capability': '01000002'.padEnd(40, '0'), 'trusted.t': '00ff' },
  })
})

const file: TreeRecord = { ...common, path: 'f', type: 'file', mode: 0o644, size: 1, sha256: 'a' }

test.each<[string, readonly TreeRecord[], readonly string[]]>([
  ['nothing', [file], []],
  ['a missing entry', [], ['missing: "f"']],
  ['one too many', [file, { ...file, path: 'ü' }], ['unexpected: "\ufffd"']],
  ['another mode', [{ ...file, mode: 0o600 }], ['"f": mode is 384, not 420']],
  ['another content', [{ ...file, sha256: 'b' }], ['"f": sha256 is "b", not "a"']],
  [
    'an xattr',
    [{ ...file, xattrs: { 'user.a': '00' } }],
    ['"f": xattrs is {"user.a":"00"}, not {}'],
  ],
  ['links', [{ ...file, links: ['f', 'g'] }], ['"f": links is ["f","g"], not undefined']],
])('comparing tells %s', (_, actual, expected) => {
  expect(treeDifferences([file], actual)).toEqual(expected)
})

test('what is to be ignored is not compared, and nothing else', () => {
  const other = [{ ...file, mtime: 5, mode: 0 }]
  const differences = treeDifferences([file], other, { ignore: () => ['mtime'] })
  expect(differences).toEqual(['"f": mode is 0, not 420'])
})
