import { execFileSync } from 'node:child_process'
import { linkSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { open, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isSregistryError } from '../../src/errors/sregistry-error.ts'
import { compressorIds, superblockField } from '../../src/squashfs/format.ts'
import { fileSource } from '../../src/squashfs/random-access-source.ts'
import { openSquashfs } from '../../src/squashfs/squashfs-reader.ts'
import { decodeSuperblock } from '../../src/squashfs/superblock-reader.ts'
import {
  device,
  directory,
  directoryOf,
  hasZstd,
  pipe,
  SquashfsImageBuilder,
  symlink,
} from '../fakes/squashfs-image-builder.ts'
import { inTemporaryDirectory, judge } from '../fakes/squashfs-judges.ts'
import { hasTool } from '../fakes/tools.ts'
import type { DirectoryInode, FileContent, Inode } from '../fakes/tree-records.ts'
import { snapshotOfDirectory, snapshotOfReader, snapshotOfRecords } from '../fakes/tree-snapshot.ts'
import { memorySource } from './memory-source.ts'

/** A bit of everything, in a small image. */
function buildTree(builder: SquashfsImageBuilder): DirectoryInode {
  const shared = builder.file('shared by two names')
  const xattrs = new Map([['user.name', Buffer.from('value')]])
  const many = Array.from({ length: 300 }, (_, at): [string, Inode] => [`f${at}`, pipe('fifo')])
  return directory({
    '.singularity.d': directory({ 'labels.json': builder.file('{"label":"value"}') }),
    large: builder.file(Buffer.alloc(20_000, 'large '), { xattrs }),
    holes: builder.file(Buffer.concat([Buffer.alloc(8192), Buffer.from('end')])),
    a: directory({ shared, link: symlink('../shared', { xattrs }) }),
    shared,
    null: device('char-device', [1, 3]),
    many: directoryOf(many),
  })
}

function smallImage(): Buffer {
  const builder = new SquashfsImageBuilder({ blockSize: 4096 })
  return builder.build(buildTree(builder))
}

describe('paths', () => {
  const open = () => openSquashfs(memorySource(smallImage()))

  test.each([
    ['', 'directory'],
    ['/', 'directory'],
    ['.singularity.d/labels.json', 'file'],
    ['/a/link', 'symlink'],
    ['many/f299', 'fifo'],
  ])('%j is found', async (path, kind) => {
    expect((await (await open()).stat(path))?.kind).toBe(kind)
  })

  test.each(['none', 'a/none', 'large/x', 'a/link/x', '../a'])('%j is not there', async (path) => {
    expect(await (await open()).stat(path)).toBeUndefined()
  })

  test('a small file is read as a whole, a directory and a missing one are not', async () => {
    const image = await open()
    const labels = await image.readFile('.singularity.d/labels.json', { maxBytes: 1000 })
    expect(Buffer.from(labels ?? []).toString()).toBe('{"label":"value"}')
    expect(await image.readFile('a', { maxBytes: 1000 })).toBeUndefined()
    expect(await image.readFile('a/none', { maxBytes: 1000 })).toBeUndefined()
  })

  test('a file that is larger than allowed is refused before it is read', async () => {
    await expect((await open()).readFile('large', { maxBytes: 19_999 })).rejects.toThrow(
      expect.objectContaining({
        code: 'LIMIT_EXCEEDED',
        message: expect.stringContaining('large'),
      }),
    )
  })

  test('an aborted walk ends with CANCELLED', async () => {
    const walk = (await open()).walk({ signal: AbortSignal.abort() })
    await walk.next()
    await expect(walk.next()).rejects.toThrow(expect.objectContaining({ code: 'CANCELLED' }))
  })
})

test('an image inside another file is read from its base', () =>
  inTemporaryDirectory(async (path) => {
    const builder = new SquashfsImageBuilder()
    const root = buildTree(builder)
    await builder.write(join(path, 'file'), root, 32_768)
    const handle = await open(join(path, 'file'))
    try {
      const reader = await openSquashfs(fileSource(handle, 32_768))
      expect(await snapshotOfReader(reader)).toEqual(snapshotOfRecords(root, builder.contents))
      await expect(openSquashfs(fileSource(handle))).rejects.toThrow('is no squashfs image')
    } finally {
      await handle.close()
    }
  }))

const compressions = [
  ['gzip', ['-comp', 'gzip']],
  ['no compression', ['-noI', '-noId', '-noD', '-noF', '-noX']],
  ['tails in fragments', ['-always-use-fragments', '-b', '4096']],
  ['no fragments', ['-no-fragments', '-b', '4096']],
  ['an export table', ['-exports']],
  ['zstd', ['-comp', 'zstd']],
] as const

test.skipIf(!hasTool('mksquashfs')).each(compressions)(
  'images of mksquashfs with %s',
  (name, options) =>
    inTemporaryDirectory(async (path) => {
      const tree = join(path, 'tree')
      mkdirSync(join(tree, 'deep', 'er'), { recursive: true })
      for (let at = 0; at < 600; at++)
        writeFileSync(join(tree, 'deep', `file-${at}`), `${at} `.repeat(at))
      writeFileSync(join(tree, 'large'), 'large '.repeat(100_000))
      writeFileSync(join(tree, 'holes'), Buffer.alloc(300_000))
      linkSync(join(tree, 'large'), join(tree, 'deep', 'er', 'link'))
      symlinkSync('large', join(tree, 'symlink'))
      judge('mksquashfs', tree, join(path, 'image'), '-quiet', '-no-progress', ...options)
      const image = openSquashfs(memorySource(await readFile(join(path, 'image'))))
      if (name === 'zstd' && !hasZstd) {
        await expect(image).rejects.toThrow(expect.objectContaining({ code: 'UNSUPPORTED' }))
      } else {
        expect(await snapshotOfReader(await image)).toEqual(snapshotOfDirectory(tree))
      }
    }),
)

test.skipIf(!hasTool('mksquashfs') || !hasTool('setfattr'))(
  'attributes that mksquashfs wrote',
  () =>
    inTemporaryDirectory(async (path) => {
      const file = join(path, 'file')
      writeFileSync(file, 'x')
      const values = { 'user.long': 'v'.repeat(3000), 'user.short': 'v' }
      for (const [name, value] of Object.entries(values)) {
        execFileSync('setfattr', ['-n', name, '-v', value, file])
      }
      writeFileSync(join(path, 'same'), 'y')
      execFileSync('setfattr', ['-n', 'user.long', '-v', values['user.long'], join(path, 'same')])
      judge('mksquashfs', file, join(path, 'same'), join(path, 'image'), '-quiet', '-no-progress')
      const reader = await openSquashfs(memorySource(await readFile(join(path, 'image'))))
      const read = async (name: string) => {
        const inode = await reader.stat(name)
        const xattrs = inode && (await reader.xattrs(inode))
        return Object.fromEntries([...(xattrs ?? [])].map(([key, value]) => [key, String(value)]))
      }
      expect(await read('file')).toEqual(values)
      expect(await read('same')).toEqual({ 'user.long': values['user.long'] })
    }),
)

describe('images that are not what they say', () => {
  const changed = (change: (image: Buffer) => void) => {
    const image = smallImage()
    change(image)
    return openSquashfs(memorySource(image))
  }

  test.each<[string, (image: Buffer) => void, string]>([
    ['other magic', (i) => i.writeUInt32LE(1, 0), 'no squashfs image'],
    ['version 3', (i) => i.writeUInt16LE(3, superblockField.versionMajor), 'version 4.0'],
    ['a wrong block log', (i) => i.writeUInt16LE(13, superblockField.blockLog), 'block size'],
    [
      'a block size of 12288',
      (i) => i.writeUInt32LE(12_288, superblockField.blockSize),
      'block size',
    ],
    ['no owners', (i) => i.writeUInt16LE(0, superblockField.idCount), 'owners'],
    [
      'tables in the wrong order',
      (i) => i.writeBigUInt64LE(0n, superblockField.directoryTable),
      'out of place',
    ],
    [
      'an end before the tables',
      (i) => i.writeBigUInt64LE(200n, superblockField.bytesUsed),
      'out of place',
    ],
    [
      'a table beyond 2^53',
      (i) => i.writeBigUInt64LE(2n ** 60n, superblockField.idTable),
      'out of range',
    ],
    [
      '4 billion fragments',
      (i) => i.writeUInt32LE(0xffff_ffff, superblockField.fragmentCount),
      'out of place',
    ],
    [
      'an unknown compressor',
      (i) => i.writeUInt16LE(9, superblockField.compressor),
      'compressor 9',
    ],
  ])('%s', async (_, change, message) => {
    await expect(changed(change)).rejects.toThrow(
      expect.objectContaining({ code: 'IMAGE_INVALID', message: expect.stringContaining(message) }),
    )
  })

  test('a compressor that Node does not have', async () => {
    const image = changed((i) => i.writeUInt16LE(compressorIds.xz, superblockField.compressor))
    await expect(image).rejects.toThrow(
      expect.objectContaining({ code: 'UNSUPPORTED', message: expect.stringContaining('xz') }),
    )
  })

  test('an image cut anywhere', async () => {
    const image = smallImage()
    const { length } = image
    for (const cut of [0, 1, 95, 96, length >> 1, length - 4096]) {
      const opened = openSquashfs(memorySource(image.subarray(0, cut))).then(snapshotOfReader)
      await expect(opened).rejects.toThrow(expect.objectContaining({ code: 'IMAGE_INVALID' }))
    }
  })
})

/** Uncompressed, so that changes reach the structures and not only the decompressor. */
function rawImage(): Buffer {
  const compression = { kind: 'none', level: 0 } as const
  const builder = new SquashfsImageBuilder({ blockSize: 4096, compression })
  return builder.build(buildTree(builder))
}

async function readEverything(image: Buffer): Promise<void> {
  const reader = await openSquashfs(memorySource(image))
  let readBytes = 0
  for await (const { inode } of reader.walk()) {
    await reader.xattrs(inode)
    if (inode.kind !== 'file') continue
    for await (const piece of reader.read(inode)) {
      readBytes += piece.length
      // a file may say any size that its size words bear out: holes are legal
      if (readBytes > 64 * 1024 * 1024) break
    }
  }
}

test.each([
  ['compressed', smallImage()],
  ['uncompressed', rawImage()],
])('%s images with changed bytes are read or refused, never worse', async (_, image) => {
  const { inodeTable, bytesUsed } = decodeSuperblock(image)
  const position = fc.oneof(
    fc.integer({ min: 0, max: 95 }),
    fc.integer({ min: inodeTable, max: bytesUsed - 1 }),
  )
  const change = fc.tuple(
    position,
    fc.oneof(fc.integer({ min: 0, max: 255 }), fc.constantFrom(0, 255)),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 6 }), async (changes) => {
      const changed = Buffer.from(image)
      for (const [at, value] of changes) changed[at] = value
      await readEverything(changed).catch((error: unknown) => {
        const codes = ['IMAGE_INVALID', 'LIMIT_EXCEEDED', 'UNSUPPORTED']
        if (!isSregistryError(error) || !codes.includes(error.code)) throw error
      })
    }),
    { numRuns: 1500 },
  )
})

describe('files that point elsewhere', () => {
  const text = Buffer.alloc(6000, 'text')
  type Change = (content: FileContent) => Partial<FileContent>

  test.each<[string, 'block' | 'fragment', Change, string]>([
    [
      'a tail behind its fragment',
      'fragment',
      (c) => ({ fragment: { index: 0, offset: c.sizeBytes } }),
      'outside of its fragment',
    ],
    [
      'a fragment that is not there',
      'fragment',
      () => ({ fragment: { index: 1, offset: 0 } }),
      'entry 1 of a table of 1',
    ],
    ['data in the tables', 'block', () => ({ start: 10_000 }), 'outside of the data'],
    ['a block that is longer than a block', 'block', () => ({ blocks: [8193] }), 'wrong size'],
    [
      'a raw block of another length',
      'block',
      () => ({ blocks: [0x100_0000 + 12] }),
      'wrong length',
    ],
    [
      'unknown bits in a size word',
      'block',
      (c) => ({ blocks: [(c.blocks[0] ?? 0) + 0x200_0000] }),
      'wrong size',
    ],
    [
      'a block that holds less than its file',
      'block',
      (c) => ({ sizeBytes: c.sizeBytes + 1 }),
      'wrong length',
    ],
    [
      'a block that holds more than its file',
      'block',
      (c) => ({ sizeBytes: c.sizeBytes - 1 }),
      'decompressed',
    ],
  ])('%s', async (_, tail, change, message) => {
    const builder = new SquashfsImageBuilder({ blockSize: 8192 })
    const file = builder.file(text, {}, { tail })
    const changed = { ...file, content: { ...file.content, ...change(file.content) } }
    await expect(readEverything(builder.build(directory({ changed })))).rejects.toThrow(
      expect.objectContaining({ code: 'IMAGE_INVALID', message: expect.stringContaining(message) }),
    )
  })
})

test.each([
  ['a name that leads up', 'aa', '..', 'named'],
  ['a name that is a path', 'bbb', 'b/b', 'named'],
  ['names out of order', 'bbb', 'ddd', 'out of order'],
  ['a name given twice', 'bbb', 'ccc', 'out of order'],
  ['a symlink that is called a file', 'ccc\0', 'ccc\0', 'directory says'],
])('%s', async (_, name, instead, message) => {
  const builder = new SquashfsImageBuilder({ compression: { kind: 'none', level: 0 } })
  const root = directory({ aa: symlink('1'), bbb: symlink('2'), ccc: symlink('3') })
  const image = builder.build(root)
  const listing = decodeSuperblock(image).directoryTable
  if (name.endsWith('\0')) image.writeUInt16LE(2, image.indexOf('ccc', listing) - 4)
  else image.write(instead, image.indexOf(name, listing))
  await expect(readEverything(image)).rejects.toThrow(
    expect.objectContaining({ code: 'IMAGE_INVALID', message: expect.stringContaining(message) }),
  )
})

test('directories that hold each other are refused', async () => {
  const builder = new SquashfsImageBuilder({ compression: { kind: 'none', level: 0 } })
  const image = builder.build(directory({ inner: directory({ x: directory({}) }) }))
  const { superblock } = await openSquashfs(memorySource(image))
  // the listing of `inner` becomes that of the root: both then lead to `inner`
  const listings = superblock.directoryTable + 2
  const inner = superblock.inodeTable + 2 + 32
  const rootInode = superblock.inodeTable + 2 + 64
  image.copyWithin(inner + 16, rootInode + 16, rootInode + 28)
  expect(image.includes('inner', listings)).toBe(true)
  await expect(readEverything(image)).rejects.toThrow(
    expect.objectContaining({
      code: 'IMAGE_INVALID',
      message: expect.stringContaining('more than one place'),
    }),
  )
})
