import { execFileSync } from 'node:child_process'
import { statSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { fileSource } from '../../src/squashfs/random-access-source.ts'
import { openSquashfs } from '../../src/squashfs/squashfs-reader.ts'
import { encodeSquashfsTables } from '../../src/squashfs/table-encoder.ts'
import {
  device,
  directory,
  directoryOf,
  SquashfsImageBuilder,
  symlink,
  testCompressor,
} from '../fakes/squashfs-image-builder.ts'
import { inTemporaryDirectory, judge, unsquash, withKernelMount } from '../fakes/squashfs-judges.ts'
import { hasTool, isRoot } from '../fakes/tools.ts'
import {
  type DirectoryInode,
  type FileContent,
  type Inode,
  sourceOf,
} from '../fakes/tree-records.ts'
import { snapshotOfDirectory, snapshotOfReader, snapshotOfRecords } from '../fakes/tree-snapshot.ts'
import { memorySource } from './memory-source.ts'

const options = {
  dataEnd: 96,
  fragments: [],
  compressor: testCompressor(),
  blockSize: 131_072,
  createdSeconds: 0,
  deduplicated: false,
}

function file(content: Partial<FileContent>): Inode {
  const { kind, mode, uid, gid, mtime, xattrs } = new SquashfsImageBuilder().file('')
  const none = { sizeBytes: 0, start: 0, blocks: [], fragment: undefined }
  return { kind, mode, uid, gid, mtime, xattrs, content: { ...none, ...content } }
}

const selfReferring = directory({})
const twice = directory({})

test.each<[string, DirectoryInode, string, string]>([
  [
    'a name of 256 bytes',
    directory({ a: directory({ ['n'.repeat(256)]: symlink('x') }) }),
    'LIMIT_EXCEEDED',
    '/a/nnn',
  ],
  ['an empty name', directory({ '': symlink('x') }), 'INTERNAL', 'no name'],
  ['a name with a slash', directory({ 'a/b': directory({}) }), 'INTERNAL', 'no name'],
  ['a name with NUL', directory({ 'a\0': symlink('x') }), 'INTERNAL', 'no name'],
  ['a dot', directory({ '.': symlink('x') }), 'INTERNAL', 'no name'],
  ['two dots', directory({ '..': symlink('x') }), 'INTERNAL', 'no name'],
  ['a directory with two places', directory({ a: twice, b: twice }), 'INTERNAL', 'another place'],
  ['a directory that holds itself', selfReferring, 'INTERNAL', 'another place'],
  [
    'an empty symlink',
    directory({ d: directory({ l: symlink('') }) }),
    'LIMIT_EXCEEDED',
    '/d/l: a symlink',
  ],
  [
    'a symlink of 4096 bytes',
    directory({ l: symlink('x'.repeat(4096)) }),
    'LIMIT_EXCEEDED',
    '4096 bytes',
  ],
  [
    'a major number of 4096',
    directory({ n: device('char-device', [4096, 0]) }),
    'LIMIT_EXCEEDED',
    '4096:0',
  ],
  [
    'a minor number of 2^20',
    directory({ n: device('char-device', [0, 2 ** 20]) }),
    'LIMIT_EXCEEDED',
    '0:1048576',
  ],
  [
    'a file with too few blocks',
    directory({ f: file({ sizeBytes: 131_073, blocks: [9] }) }),
    'INTERNAL',
    '131073 bytes',
  ],
  [
    'a full file with a fragment',
    directory({ f: file({ sizeBytes: 131_072, blocks: [9], fragment: { index: 0, offset: 0 } }) }),
    'INTERNAL',
    'a fragment',
  ],
])('%s is refused', (_, root, code, message) => {
  if (root === selfReferring) Object.assign(root, directoryOf([['self', root]]))
  expect(() => encodeSquashfsTables(sourceOf(root), options)).toThrow(
    expect.objectContaining({ code, message: expect.stringContaining(message) }),
  )
})

test('more fragments than inodes are refused: unsquashfs would not take them', () => {
  const fragments = Array.from({ length: 3 }, () => ({ position: 96, sizeWord: 10 }))
  const root = directory({ a: symlink('x') })
  expect(() => encodeSquashfsTables(sourceOf(root), { ...options, fragments })).toThrow(
    /3 fragments/,
  )
})

function treeOfOwners(count: number): DirectoryInode {
  const each = (at: number): [string, Inode] => [`l${at}`, symlink('x', { uid: at, gid: at })]
  return directoryOf(Array.from({ length: count }, (_, at) => each(at)))
}

test('65,535 owners are the most', async () => {
  const builder = new SquashfsImageBuilder()
  const reader = await openSquashfs(memorySource(builder.build(treeOfOwners(65_535))))
  expect(reader.superblock.idCount).toBe(65_535)
  expect((await reader.stat('l65534'))?.uid).toBe(65_534)
  expect(() => builder.build(treeOfOwners(65_536))).toThrow(
    expect.objectContaining({
      code: 'LIMIT_EXCEEDED',
      message: '/l9999: the image has more than 65535 owners',
    }),
  )
})

test.skipIf(!isRoot || !hasTool('unsquashfs'))('the kernel and unsquashfs take 65,535 owners', () =>
  inTemporaryDirectory(async (path) => {
    const builder = new SquashfsImageBuilder()
    await builder.write(join(path, 'image'), treeOfOwners(65_535))
    const lines = judge('unsquashfs', '-lln', join(path, 'image')).split('\n')
    expect(lines.find((line) => line.includes('/l65534 ->'))).toContain('65534/65534')
    const owner = withKernelMount(join(path, 'image'), (at) =>
      judge('stat', '-c', '%u', `${at}/l65534`),
    )
    expect(owner).toBe('65534\n')
  }),
)

test.skipIf(!isRoot || !hasTool('unsquashfs'))('files beyond 4 GiB', () =>
  inTemporaryDirectory(async (path) => {
    const image = join(path, 'image')
    const builder = new SquashfsImageBuilder({ blockSize: 4096 })
    const low = builder.file(Buffer.alloc(9000, 'low'))
    builder.skipTo(2 ** 32 - 10)
    const edge = builder.file(Buffer.alloc(9000, 'edge'))
    const high = builder.file(Buffer.alloc(9000, 'high'))
    const linked = builder.file(Buffer.alloc(9000, 'linked'))
    const tail = builder.file('in a fragment beyond 4 GiB')
    const root = directory({ low, edge, high, tail, linked, link: linked })
    await builder.write(image, root)
    expect(statSync(image).size).toBeGreaterThan(2 ** 32)
    const expected = snapshotOfRecords(root, builder.contents)
    expect(withKernelMount(image, snapshotOfDirectory)).toEqual(expected)
    unsquash(image, join(path, 'out'))
    expect(snapshotOfDirectory(join(path, 'out'))).toEqual(expected)
    const handle = await open(image)
    try {
      expect(await snapshotOfReader(await openSquashfs(fileSource(handle)))).toEqual(expected)
    } finally {
      await handle.close()
    }
  }),
)

test.skipIf(!isRoot)('a sparse file of 5 GiB', () =>
  inTemporaryDirectory(async (path) => {
    const image = join(path, 'image')
    const sizeBytes = 5 * 2 ** 30
    const blocks = new Uint32Array(sizeBytes / 131_072)
    const root = directory({
      hole: file({ sizeBytes, blocks }),
      small: file({ sizeBytes: 5, blocks: [0] }),
    })
    await new SquashfsImageBuilder().write(image, root)
    const seen = withKernelMount(image, (at) => {
      execFileSync('cmp', ['-n', String(2 ** 20), `${at}/hole`, '/dev/zero'])
      return ['hole', 'small'].map((name) => judge('stat', '-c', '%s %b', `${at}/${name}`))
    })
    expect(seen).toEqual([`${sizeBytes} 1\n`, '5 1\n'])
  }),
)

/** One directory in the other. */
function deepTree(depth: number): DirectoryInode {
  let tree = directory({ leaf: symlink('x') })
  for (let level = 0; level < depth; level++) tree = directory({ d: tree })
  return tree
}

test('a tree of 20,000 levels is encoded and read without recursion', async () => {
  const builder = new SquashfsImageBuilder()
  const reader = await openSquashfs(memorySource(builder.build(deepTree(20_000))))
  let met = 0
  for await (const _ of reader.walk()) met++
  expect(met).toBe(20_002)
})

test.skipIf(!isRoot)('the kernel walks 2,000 levels', () =>
  inTemporaryDirectory(async (path) => {
    const image = join(path, 'image')
    await new SquashfsImageBuilder().write(image, deepTree(2000))
    const found = withKernelMount(image, (at) =>
      judge('find', at, '-name', 'leaf', '-printf', '%d'),
    )
    expect(found).toBe('2001')
  }),
)

test('the same tree gives the same bytes, whatever the order of its entries', () => {
  const names = Array.from({ length: 500 }, (_, at) => `f${at}`)
  const owner = (name: string) => ({ uid: name.length, gid: Number(name.slice(1)) % 7 })
  const build = (inOrder: readonly string[]) => {
    const entries = inOrder.map((name): [string, Inode] => [name, symlink(name, owner(name))])
    return encodeSquashfsTables(sourceOf(directoryOf(entries)), options)
  }
  expect(build(names)).toEqual(build(names.toReversed()))
})
