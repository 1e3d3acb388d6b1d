import { randomBytes } from 'node:crypto'
import { deflateSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { createBlockCompressor } from '../../src/squashfs/block-compressor.ts'

const blocks = Array.from({ length: 60 }, (_, i) =>
  Buffer.concat([
    Buffer.from(`block ${i} `.repeat(1 + i * 150)),
    i % 3 === 0 ? randomBytes(60_000) : Buffer.alloc(0),
  ]).subarray(0, 131_072),
)

test.each([1, 5, 9])('gzip %i on the pool makes what deflateSync makes', async (level) => {
  const compressor = createBlockCompressor({ kind: 'gzip', level })
  const stored = await Promise.all(blocks.map((block) => compressor.compress(block)))
  for (const [i, block] of blocks.entries()) {
    const expected = deflateSync(block, { level })
    const isRaw = expected.length >= block.length
    expect(Buffer.compare(stored[i] ?? block, isRaw ? block : expected)).toBe(0)
    if (isRaw) continue
    expect(Buffer.compare(compressor.decompressSync(stored[i] ?? block, block.length), block)).toBe(
      0,
    )
  }
})

test.each(['gzip', 'none'] as const)('%s hands back a block that gets no smaller', async (kind) => {
  const compressor = createBlockCompressor({ kind, level: kind === 'none' ? 0 : 5 })
  const noise = randomBytes(131_072)
  expect(await compressor.compress(noise)).toBe(noise)
  expect(compressor.compressSync(noise)).toBe(noise)
})

test('a damaged block, and one that is too long, are IMAGE_INVALID', () => {
  const { decompressSync } = createBlockCompressor({ kind: 'gzip', level: 5 })
  const stored = deflateSync(Buffer.alloc(5000))
  expect(() => decompressSync(stored, 4096)).toThrow(
    expect.objectContaining({ code: 'IMAGE_INVALID' }),
  )
  expect(() => decompressSync(stored.subarray(0, -6), 8192)).toThrow(
    expect.objectContaining({ code: 'IMAGE_INVALID' }),
  )
})

const hasZstd = process.versions['zstd'] !== undefined

test.skipIf(hasZstd)('zstd on a Node without it is UNSUPPORTED', () => {
  expect(() => createBlockCompressor({ kind: 'zstd', level: 3 })).toThrow(
    expect.objectContaining({ code: 'UNSUPPORTED' }),
  )
})

test.skipIf(!hasZstd)('zstd makes the same frames on the pool and at once', async () => {
  const compressor = createBlockCompressor({ kind: 'zstd', level: 6 })
  for (const block of blocks) {
    const stored = await compressor.compress(block)
    expect(Buffer.compare(stored, compressor.compressSync(block))).toBe(0)
    if (stored !== block)
      expect(Buffer.compare(compressor.decompressSync(stored, 131_072), block)).toBe(0)
  }
})
