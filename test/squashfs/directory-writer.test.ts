import { expect, test } from 'vitest'
import { createBlockDecompressor } from '../../src/squashfs/block-decompressor.ts'
import { readListing } from '../../src/squashfs/directory-reader.ts'
import { writeListing } from '../../src/squashfs/directory-writer.ts'
import { MetadataReader } from '../../src/squashfs/metadata-reader.ts'
import { MetadataWriter } from '../../src/squashfs/metadata-writer.ts'
import { StoredBlocks } from '../../src/squashfs/stored-blocks.ts'
import { testCompressor } from '../fakes/squashfs-image-builder.ts'
import { memorySource } from './memory-source.ts'

/** Writes and reads a directory of which only the numbers of its inodes matter. */
async function roundTrip(numbers: readonly number[]) {
  const stored = new StoredBlocks(testCompressor())
  const out = new MetadataWriter((bytes) => stored.store(bytes))
  const names = numbers.map((_, at) => String.fromCharCode(97 + at))
  const { reference, sizeBytes } = writeListing(out, {
    names,
    children: Uint32Array.from(numbers.keys()),
    references: Float64Array.from(numbers, (_, at) => 32 * at),
    numbers: Uint32Array.from(numbers),
    types: new Uint8Array(numbers.length).fill(2),
  })
  out.finish()
  const table = stored.concat()
  const place = { start: 0, end: table.length }
  const reader = new MetadataReader(memorySource(table), createBlockDecompressor(1), place)
  const read: number[] = []
  for await (const { number } of readListing(reader.cursor(reference), sizeBytes)) read.push(number)
  return { read, sizeBytes }
}

test.each([
  ['neighbours', [5, 6, 7], 1],
  ['the largest differences', [40_000, 40_000 + 32_767, 40_000 - 32_768], 1],
  ['a number too far up', [1, 2, 1 + 32_768], 2],
  ['a number too far down', [40_000, 40_000 - 32_769], 2],
  ['the largest numbers', [1, 0xffff_ffff, 0xffff_fffe], 2],
])('%s', async (_, numbers, runs) => {
  const { read, sizeBytes } = await roundTrip(numbers)
  expect(read).toEqual(numbers)
  expect(sizeBytes).toBe(12 * runs + 9 * numbers.length)
})
