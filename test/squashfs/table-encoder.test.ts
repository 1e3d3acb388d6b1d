import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { openSquashfs } from '../../src/squashfs/squashfs-reader.ts'
import {
  device,
  directory,
  directoryOf,
  pipe,
  SquashfsImageBuilder,
  symlink,
} from '../fakes/squashfs-image-builder.ts'
import {
  inTemporaryDirectory,
  judge,
  unsquash,
  withFuseMount,
  withKernelMount,
} from '../fakes/squashfs-judges.ts'
import { hasTool, isRoot } from '../fakes/tools.ts'
import type { DirectoryInode, Inode } from '../fakes/tree-records.ts'
import { snapshotOfDirectory, snapshotOfReader, snapshotOfRecords } from '../fakes/tree-snapshot.ts'
import { memorySource } from './memory-source.ts'

const blockSize = 4096

/** Bytes that no compressor makes smaller, the same in every run. */
function noise(sizeBytes: number, seed = 1): Buffer {
  const bytes = Buffer.alloc(sizeBytes)
  let state = seed
  for (let at = 0; at < sizeBytes; at++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    bytes[at] = state >>> 24
  }
  return bytes
}

type Build = (builder: SquashfsImageBuilder) => DirectoryInode

/** FORMATS § 8, minimum matrix of a squashfs writer; what is large has tests of its own. */
const trees: [string, Build][] = [
  ['an empty root', () => directory({})],
  [
    'files around the block size',
    (b) =>
      directory(
        Object.fromEntries(
          [0, 1, blockSize - 1, blockSize, blockSize + 1, 2 * blockSize, 3 * blockSize + 7].flatMap(
            (size) => [
              [`text-${size}`, b.file(Buffer.alloc(size, `text of ${size} `))],
              [`noise-${size}`, b.file(noise(size, size))],
              [`block-${size}`, b.file(noise(size, size + 1), {}, { tail: 'block' })],
            ],
          ),
        ),
      ),
  ],
  [
    'tails of large files in fragments',
    (b) =>
      directory({
        a: b.fileWithTail(noise(2 * blockSize + 100)),
        b: b.fileWithTail(Buffer.alloc(5 * blockSize + 1, 'b')),
      }),
  ],
  [
    'holes',
    (b) =>
      directory({
        all: b.file(Buffer.alloc(3 * blockSize)),
        'all-and-tail': b.file(Buffer.alloc(3 * blockSize + 5)),
        middle: b.file(Buffer.concat([noise(blockSize), Buffer.alloc(blockSize), noise(99)])),
        end: b.file(Buffer.concat([noise(blockSize), Buffer.alloc(2 * blockSize)])),
        begin: b.file(Buffer.concat([Buffer.alloc(blockSize), noise(blockSize)])),
      }),
  ],
  [
    '300 names of one file, across directories, and of a device and a symlink',
    (b) => {
      const shared = b.file('shared')
      const node = device('char-device', [1, 3])
      const link = symlink('shared')
      const names = Array.from({ length: 300 }, (_, at): [string, Inode] => [`name-${at}`, shared])
      return directory({
        many: directoryOf(names),
        a: directory({ shared, node, link, other: b.file('other') }),
        z: directory({ shared, node, link }),
        shared,
      })
    },
  ],
  [
    'a directory of 300 entries beside empty ones',
    (b) =>
      directory({
        empty: directory({}),
        full: directoryOf(
          Array.from({ length: 300 }, (_, at): [string, Inode] => [`f${at}`, b.file(`${at}`)]),
        ),
        'also-empty': directory({}, { mode: 0o1777 }),
      }),
  ],
  [
    'names of any byte',
    (b) =>
      directory({
        '\xff\xfe': b.file('ff'),
        'a\nb': b.file('newline'),
        ['n'.repeat(255)]: b.file('255'),
        '\x01': b.file('control'),
        'a b\\c"d': b.file('quotes'),
        '...': b.file('dots'),
        '\xc3\xa4': directory({ '\xe2\x82\xac': b.file('utf-8') }),
        a: b.file('short'),
        aa: b.file('longer'),
        B: b.file('upper case sorts first'),
      }),
  ],
  [
    'symlinks',
    () =>
      directory({
        short: symlink('a'),
        longest: symlink(`${'x/'.repeat(2047)}y`),
        bytes: symlink('\xff\n\x01'),
      }),
  ],
  [
    'special files',
    () =>
      directory({
        null: device('char-device', [1, 3], { mode: 0o666 }),
        whiteout: device('char-device', [0, 0]),
        largest: device('block-device', [4095, 1_048_575]),
        disk: device('block-device', [8, 257]),
        fifo: pipe('fifo'),
        socket: pipe('socket'),
      }),
  ],
  [
    'modes, owners and times at their bounds',
    (b) =>
      directory({
        setuid: b.file('', { mode: 0o4755 }),
        setgid: directory({}, { mode: 0o2755 }),
        sticky: directory({}, { mode: 0o1777 }),
        none: b.file('x', { mode: 0 }),
        owner: b.file('x', { uid: 4_294_967_294, gid: 4_294_967_293 }),
        swapped: b.file('x', { uid: 4_294_967_293, gid: 4_294_967_294 }),
        epoch: b.file('x', { mtime: 0 }),
        last: b.file('x', { mtime: 4_294_967_295 }),
      }),
  ],
  [
    'inode tables of many metadata blocks',
    (b) =>
      directoryOf(
        Array.from({ length: 40 }, (_, d): [string, Inode] => [
          `directory-${d}`,
          directoryOf(
            Array.from({ length: 120 }, (_, f): [string, Inode] => [
              `file-${f}`,
              b.file(`${d} ${f}`, { mtime: d * 1_000_003 + f * 7919, uid: d }),
            ]),
          ),
        ]),
      ),
  ],
  [
    'more than 512 fragments',
    (b) =>
      directoryOf(
        Array.from({ length: 530 }, (_, at): [string, Inode] => [
          `f${at}`,
          b.file(Buffer.alloc(blockSize - 50, `${at} `)),
        ]),
      ),
  ],
  [
    'more than 2048 owners',
    (b) =>
      directoryOf(
        Array.from({ length: 1100 }, (_, at): [string, Inode] => [
          `f${at}`,
          b.file('x', { uid: 100_000 + at, gid: 300_000 + at }),
        ]),
      ),
  ],
  [
    'a file whose size words take many metadata blocks',
    (b) => directory({ large: b.file(noise(5000 * blockSize)), small: b.file('after it') }),
  ],
]

function expected(root: DirectoryInode, builder: SquashfsImageBuilder) {
  return snapshotOfRecords(root, builder.contents)
}

describe.each(trees)('%s', (_, build) => {
  const builder = new SquashfsImageBuilder({ blockSize })
  const root = build(builder)

  test('reads back with our reader', async () => {
    const reader = await openSquashfs(memorySource(builder.build(root)))
    expect(await snapshotOfReader(reader)).toEqual(expected(root, builder))
  })

  test.skipIf(!hasTool('unsquashfs') || !isRoot)('unpacks with unsquashfs', () =>
    inTemporaryDirectory(async (path) => {
      await builder.write(join(path, 'image'), root)
      judge('unsquashfs', '-lln', join(path, 'image'))
      unsquash(join(path, 'image'), join(path, 'out'))
      expect(snapshotOfDirectory(join(path, 'out'))).toEqual(expected(root, builder))
    }),
  )

  test.skipIf(!isRoot)('mounts in the kernel', () =>
    inTemporaryDirectory(async (path) => {
      await builder.write(join(path, 'image'), root)
      const seen = withKernelMount(join(path, 'image'), snapshotOfDirectory)
      expect(seen).toEqual(expected(root, builder))
    }),
  )

  test.skipIf(!hasTool('squashfuse'))('mounts with squashfuse', () =>
    inTemporaryDirectory(async (path) => {
      await builder.write(join(path, 'image'), root)
      const seen = withFuseMount(join(path, 'image'), (mounted) => snapshotOfDirectory(mounted))
      expect(Object.keys(seen).toSorted()).toEqual(Object.keys(expected(root, builder)).toSorted())
      for (const [name, { content }] of Object.entries(expected(root, builder))) {
        expect(seen[name]?.content).toBe(content)
      }
    }),
  )

  test.skipIf(!hasTool('rdsquashfs'))('is listed by rdsquashfs', () =>
    inTemporaryDirectory(async (path) => {
      await builder.write(join(path, 'image'), root)
      judge('rdsquashfs', '-d', join(path, 'image'))
      judge('sqfsdiff', '-a', join(path, 'image'), '-b', join(path, 'image'), '-T', '-I', '-S')
    }),
  )
})
