import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parseCompression } from '../../src/squashfs/compression.ts'
import { flag, superblockBytes } from '../../src/squashfs/format.ts'
import { decodeSuperblock } from '../../src/squashfs/superblock-reader.ts'
import { dataStart, encodeSquashfsTables } from '../../src/squashfs/table-encoder.ts'
import {
  directory,
  directoryOf,
  hasZstd,
  SquashfsImageBuilder,
  symlink,
} from '../fakes/squashfs-image-builder.ts'
import { inTemporaryDirectory, judge, unsquash, withKernelMount } from '../fakes/squashfs-judges.ts'
import { hasTool, isRoot } from '../fakes/tools.ts'
import { sourceOf } from '../fakes/tree-records.ts'
import { snapshotOfDirectory, snapshotOfRecords } from '../fakes/tree-snapshot.ts'

test.each([
  ['gzip:5', 96, 0],
  ['gzip:9', 96, 0],
  ['none', 96, 0],
  ['zstd:15', 96, 0],
  ['zstd:6', 102, flag.compressorOptions],
])('data begins behind the options of %s', (text, start, optionsFlag) => {
  const compression = parseCompression(text)
  const { superblock } = encodeSquashfsTables(sourceOf(directory({})), {
    dataEnd: dataStart(compression),
    fragments: [],
    // any block may be stored raw, so this is an image of any compressor
    compressor: { compression, compressMetadata: (block) => block },
    blockSize: 131_072,
    createdSeconds: 0,
    deduplicated: true,
  })
  expect(dataStart(compression)).toBe(start)
  expect(superblock).toHaveLength(start)
  const decoded = decodeSuperblock(superblock.subarray(0, superblockBytes))
  expect(decoded.flags & flag.compressorOptions).toBe(optionsFlag)
  expect(decoded.flags & flag.duplicatesRemoved).toBe(flag.duplicatesRemoved)
})

test.skipIf(!hasTool('unsquashfs'))('unsquashfs reads the level', () => {
  const compression = parseCompression('zstd:7')
  const { superblock, tables } = encodeSquashfsTables(
    sourceOf(directoryOf([['a', symlink('b')]])),
    {
      dataEnd: dataStart(compression),
      fragments: [],
      compressor: { compression, compressMetadata: (block) => block },
      blockSize: 131_072,
      createdSeconds: 0,
      deduplicated: false,
    },
  )
  return inTemporaryDirectory(async (path) => {
    await writeFile(join(path, 'image'), Buffer.concat([superblock, ...tables, Buffer.alloc(4096)]))
    const shown = judge('unsquashfs', '-s', join(path, 'image'))
    expect(shown).toContain('Compression zstd')
    expect(shown).toContain('compression-level 7')
    expect(judge('unsquashfs', '-lln', join(path, 'image'))).toContain('squashfs-root/a -> b')
  })
})

test
  .skipIf(!isRoot || !hasTool('unsquashfs'))
  .each(['none', 'gzip:1', 'gzip:9', ...(hasZstd ? ['zstd:6', 'zstd:15'] : [])])(
  'images compressed with %s are read by the kernel and by unsquashfs',
  (text) =>
    inTemporaryDirectory(async (path) => {
      const image = join(path, 'image')
      const builder = new SquashfsImageBuilder({ compression: parseCompression(text) })
      const large = builder.file(Buffer.alloc(300_000, 'large '))
      const root = directory({ large, small: builder.file('small '.repeat(100)), link: large })
      await builder.write(image, root)
      const expected = snapshotOfRecords(root, builder.contents)
      expect(withKernelMount(image, snapshotOfDirectory)).toEqual(expected)
      unsquash(image, join(path, 'out'))
      expect(snapshotOfDirectory(join(path, 'out'))).toEqual(expected)
    }),
)
