import { createHash } from 'node:crypto'
import { readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isSregistryError } from '../../src/errors/sregistry-error.ts'
import { decodeEntries } from '../../src/image/entry-decoder.ts'
import { IndexDecoder } from '../../src/image/index-decoder.ts'
import { IndexEncoder } from '../../src/image/index-encoder.ts'
import type { PackedContent } from '../../src/image/packed-layer.ts'
import { readPackedLayer } from '../../src/image/packed-layer-reader.ts'
import { listEntries } from './indexed-contents.ts'
import { pack, withScratch } from './packed-layers.ts'
import { file, header, pax } from './tar/archive.ts'

const archive = Buffer.concat([
  file({ name: 'small' }, 'x'.repeat(50)),
  pax({ 'SCHILY.xattr.user.a': 'v' }),
  file({ name: 'large' }, 'y'.repeat(10_000)),
  header({ name: 'l', type: '2', link: 't' }),
])

test('a changed or cut file is IMAGE_INVALID, or what changed is in a block', () =>
  withScratch(async (directory) => {
    const { path } = await pack(archive, join(directory, 'l'))
    const good = readFileSync(path)
    const broken = join(directory, 'broken')
    for (let length = 0; length < good.length; length += 7) {
      writeFileSync(broken, good.subarray(0, length))
      await expect(readPackedLayer(broken)).rejects.toMatchObject({ code: 'IMAGE_INVALID' })
    }
    const indexStart = Number(good.readBigUInt64LE(good.length - 56))
    for (let offset = indexStart; offset < good.length; offset += 1) {
      const bytes = Buffer.from(good)
      bytes[offset] = (bytes[offset] ?? 0) ^ 0x41
      writeFileSync(broken, bytes)
      await expect(readPackedLayer(broken)).rejects.toMatchObject({ code: 'IMAGE_INVALID' })
    }
  }))

test('an index that lies, with a right checksum, is refused or stays within the file', () =>
  withScratch(async (directory) => {
    const { path } = await pack(archive, join(directory, 'l'))
    const good = readFileSync(path)
    const dataEnd = Number(good.readBigUInt64LE(good.length - 56))
    const broken = join(directory, 'broken')
    const mutation = fc.tuple(fc.nat(good.length - 57 - dataEnd), fc.nat(255))
    await fc.assert(
      fc.asyncProperty(fc.array(mutation, { minLength: 1, maxLength: 4 }), async (mutations) => {
        const bytes = Buffer.from(good)
        for (const [offset, byte] of mutations) bytes[dataEnd + offset] = byte
        const covered = bytes.subarray(dataEnd, bytes.length - 32)
        createHash('sha256')
          .update(covered)
          .digest()
          .copy(bytes, bytes.length - 32)
        writeFileSync(broken, bytes)
        await readWithin(broken, dataEnd)
      }),
      { numRuns: 500 },
    )
  }))

test('one that is gone is told apart from one that cannot be opened: it is packed again', async () => {
  await expect(readPackedLayer('/nowhere/layer')).rejects.toMatchObject({ code: 'ENOENT' })
  await expect(readPackedLayer('/dev/null/layer')).rejects.toMatchObject({ code: 'STORAGE' })
})

test('an index longer than any string is refused unread', () =>
  withScratch(async (directory) => {
    const { path } = await pack(archive, join(directory, 'l'))
    const bytes = readFileSync(path)
    const trailer = bytes.subarray(-56)
    const indexBytes = 2 ** 31
    trailer.writeBigUInt64LE(BigInt(indexBytes), 8)
    const position = Number(trailer.readBigUInt64LE(0))
    writeFileSync(path, bytes)
    truncateSync(path, position)
    truncateSync(path, position + indexBytes)
    writeFileSync(path, trailer, { flag: 'a' })
    await expect(readPackedLayer(path)).rejects.toMatchObject({
      code: 'IMAGE_INVALID',
      message: 'the packed layer is damaged: its index is too large',
    })
  }))

test('an index of more entries than a layer may have is refused before there is room for them', () => {
  const index = new IndexEncoder()
  index.number(5_000_001)
  const bytes = Buffer.alloc(7 * 5_000_002)
  index.finish().copy(bytes)
  const decoding = () =>
    decodeEntries(new IndexDecoder(bytes), [], { dataEnd: 16, blockSize: 4096 })
  expect(decoding).toThrow(
    expect.objectContaining({
      code: 'IMAGE_INVALID',
      message: 'the packed layer is damaged: it has too many entries',
    }),
  )
})

/** Every file of a layer that can be read lies before the index. */
async function readWithin(path: string, dataEnd: number): Promise<void> {
  try {
    const { entries } = await readPackedLayer(path)
    const ends = listEntries(entries).map((entry) =>
      entry.kind === 'file' ? endOf(entry.content) : 0,
    )
    expect(Math.max(0, ...ends)).toBeLessThanOrEqual(dataEnd)
  } catch (error) {
    if (!isSregistryError(error) || error.code !== 'IMAGE_INVALID') throw error
  }
}

function endOf({ blocks, position }: PackedContent): number {
  const storedBytes = blocks.reduce((sum, word) => sum + (word % 0x1000000), 0)
  return storedBytes === 0 ? 0 : position + storedBytes
}

test('an older version is refused', () =>
  withScratch(async (directory) => {
    const { path } = await pack(archive, join(directory, 'l'))
    const bytes = readFileSync(path)
    bytes.writeUInt32LE(0, 8)
    writeFileSync(path, bytes)
    await expect(readPackedLayer(path)).rejects.toThrow(/version 0/)
  }))
