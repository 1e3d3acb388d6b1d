/** Copying past the page cache keeps the promises of copying through it. */
import { randomBytes } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { windowsOf } from '../../../src/image/layout/copy-windows.ts'
import { DirectCopier } from '../../../src/image/layout/direct-copier.ts'
import type { CopiedRange } from '../../../src/image/layout/image-layout.ts'
import { copyRanges, LayerFiles } from '../../../src/image/layout/range-copy.ts'
import { withScratch } from '../packed-layers.ts'

const megabyte = 1024 * 1024
const base = 4096

/** Whether scratch files lie where direct writes are used: ext4 or xfs. */
const isDirect = [0xef53, 0x58465342].includes(statfsSync(tmpdir()).type)
if (!isDirect) console.warn('skipped: direct writes, which want TMPDIR on ext4 or xfs')

type World = {
  readonly copier: DirectCopier
  readonly files: LayerFiles
  readonly output: FileHandle
  readonly path: string
}

function withCopier(work: (world: World) => Promise<void>): Promise<void> {
  return withScratch(async (directory) => {
    const sources = ['first', 'second'].map((name) => join(directory, name))
    writeFileSync(sources[0] ?? '', randomBytes(21 * megabyte))
    writeFileSync(sources[1] ?? '', randomBytes(4 * megabyte))
    const path = join(directory, 'image')
    const output = await open(path, 'w+')
    const files = new LayerFiles(sources)
    await files.open()
    const copier = await DirectCopier.start(files, output)
    try {
      if (copier === undefined) throw new Error('the file system takes no direct writes')
      await work({ copier, files, output, path })
    } finally {
      await copier?.close()
      await copier?.close()
      await files.close()
      await output.close()
    }
  })
}

/** Pieces of both files, in turn, one after the other in the target. */
function rangesFrom(start: number, sizes: readonly number[]): CopiedRange[] {
  let target = start
  return sizes.map((sizeBytes, index) => {
    const range = { source: index % 2, position: (index * 4099) % megabyte, sizeBytes, target }
    target += sizeBytes
    return range
  })
}

const size = fc.oneof(fc.nat(9000), fc.constantFrom(65_536, 131_072), fc.nat(3 * megabyte))

test.runIf(isDirect)('what it copies is what the pool copies, and every byte is reported', () =>
  fc.assert(
    fc.asyncProperty(fc.nat(200_000), fc.array(size, { maxLength: 9 }), async (start, sizes) =>
      withCopier(async ({ copier, files, path }) => {
        const ranges = rangesFrom(start, sizes)
        let reported = 0
        await copier.copy(ranges, {
          base,
          onBytes: (bytes) => {
            reported += bytes
          },
        })
        expect(reported).toBe(sizes.reduce((sum, one) => sum + one, 0))
        const other = await open(`${path}-pool`, 'w+')
        await copyRanges(files, other, ranges, { base })
        await other.close()
        expect(readFileSync(path).equals(readFileSync(`${path}-pool`))).toBe(true)
      }),
    ),
    { numRuns: 12 },
  ),
)

test.runIf(isDirect)('what others write beside it through the cache stays', () =>
  withCopier(async ({ copier, files, output, path }) => {
    const ranges = rangesFrom(96, [20 * megabyte + 5])
    const end = base + 96 + 20 * megabyte + 5
    await output.write(Buffer.from('superblock'), 0, 10, base)
    const copying = copier.copy(ranges, { base })
    await output.write(Buffer.from('tables'), 0, 6, end)
    await copying
    const bytes = readFileSync(path)
    expect(bytes.toString('latin1', base, base + 10)).toBe('superblock')
    expect(bytes.toString('latin1', end)).toBe('tables')
    const wanted = readFileSync(files.paths[0] ?? '').subarray(0, 20 * megabyte + 5)
    expect(bytes.subarray(base + 96, end).equals(wanted)).toBe(true)
  }),
)

test.runIf(isDirect)('a packed layer that ends early is IMAGE_INVALID and named', () =>
  withCopier(async ({ copier, files }) => {
    const beyond = { source: 1, position: 0, sizeBytes: 5 * megabyte, target: 0 }
    await expect(copier.copy([beyond], { base })).rejects.toMatchObject({
      code: 'IMAGE_INVALID',
      message: `the packed layer ${files.paths[1]} is cut short`,
    })
  }),
)

test.runIf(isDirect)('an abort ends it, and nothing is written any more', () =>
  withCopier(async ({ copier, output }) => {
    const stop = new AbortController()
    const copying = copier.copy(rangesFrom(96, [20 * megabyte]), {
      base,
      signal: stop.signal,
      onBytes: () => stop.abort(),
    })
    await expect(copying).rejects.toMatchObject({ code: 'CANCELLED' })
    const { mtimeNs } = await output.stat({ bigint: true })
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect((await output.stat({ bigint: true })).mtimeNs).toBe(mtimeNs)
  }),
)

test.runIf(existsSync('/dev/shm'))('a file in memory is not written directly', async () => {
  const directory = mkdtempSync('/dev/shm/sregistry-')
  const output = await open(join(directory, 'image'), 'w+')
  try {
    expect(await DirectCopier.start(new LayerFiles([]), output)).toBeUndefined()
  } finally {
    await output.close()
    rmSync(directory, { recursive: true })
  }
})

test('windows hold all bytes of the ranges in their order, and end where windows do', () =>
  fc.assert(
    fc.property(fc.nat(10_000), fc.array(fc.nat(20_000)), fc.nat(3), (start, sizes, gaps) => {
      const windowBytes = 4096
      const ranges = rangesFrom(start, sizes).map((range, index) => ({
        ...range,
        target: range.target + (index % 4 < gaps ? 100_000 * index : 0),
      }))
      const copied: CopiedRange[] = []
      for (const { target, sizeBytes, pieces } of windowsOf(ranges, windowBytes)) {
        expect(Math.floor(target / windowBytes)).toBe(
          Math.floor((target + sizeBytes - 1) / windowBytes),
        )
        let at = target
        for (const piece of pieces) {
          const last = copied.at(-1)
          const goesOn =
            last?.source === piece.source &&
            last.position + last.sizeBytes === piece.position &&
            last.target + last.sizeBytes === at
          if (goesOn) last.sizeBytes += piece.sizeBytes
          else copied.push({ ...piece, target: at })
          at += piece.sizeBytes
        }
        expect(at).toBe(target + sizeBytes)
      }
      const filled = ranges.filter(({ sizeBytes }) => sizeBytes > 0)
      expect(copied).toEqual(filled)
    }),
  ))
