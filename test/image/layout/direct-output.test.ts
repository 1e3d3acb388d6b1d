/** Writing past the page cache: the same bytes as through it, where it can be done at all. */
import { randomBytes } from 'node:crypto'
import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statfsSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { DirectOutput, pagedMemory } from '../../../src/image/layout/direct-output.ts'
import { takesDirectWrites } from '../../../src/storage/file-system-type.ts'
import { withScratch } from '../packed-layers.ts'

/** Whether scratch files lie where direct writes are used: ext4 or xfs. */
const isDirect = takesDirectWrites(statfsSync(tmpdir()).type)
if (!isDirect) console.warn('skipped: direct writes, which want TMPDIR on ext4 or xfs')

const page = 65_536
const memory = pagedMemory(40 * page)

type World = { readonly direct: DirectOutput; readonly output: number; readonly path: string }

function withOutput(work: (world: World) => void): Promise<void> {
  return withScratch(async (directory) => {
    const path = join(directory, 'image')
    const output = openSync(path, 'w+')
    const direct = DirectOutput.open(output)
    try {
      if (direct === undefined) throw new Error('the file system takes no direct writes')
      work({ direct, output, path })
    } finally {
      direct?.close()
      closeSync(output)
    }
  })
}

function paged(sizeBytes: number): Uint8Array {
  if (memory === undefined) throw new Error('there is no memory for it')
  const bytes = memory.subarray(0, sizeBytes)
  bytes.set(randomBytes(sizeBytes))
  return bytes
}

const size = fc.oneof(fc.nat(9000), fc.constantFrom(page, 2 * page), fc.nat(40 * page))
const place = fc.oneof(
  fc.nat(10 * page),
  fc.nat(10).map((pages) => pages * page),
)

test.runIf(isDirect)('any bytes at any place come into the file', () =>
  fc.assert(
    fc.asyncProperty(place, fc.array(size, { maxLength: 5 }), (start, sizes) =>
      withOutput(({ direct, path }) => {
        let target = start
        const wanted: Buffer[] = [Buffer.alloc(sizes.some((one) => one > 0) ? start : 0)]
        for (const sizeBytes of sizes) {
          const bytes = paged(sizeBytes)
          wanted.push(Buffer.from(bytes))
          direct.write(bytes, target)
          target += sizeBytes
        }
        expect(readFileSync(path).equals(Buffer.concat(wanted))).toBe(true)
      }),
    ),
    { numRuns: 25 },
  ),
)

test.runIf(isDirect)('what is written beside it through the cache stays', () =>
  withOutput(({ direct, output, path }) => {
    writeSync(output, 'superblock', 0)
    const bytes = paged(3 * page + 5)
    const wanted = Buffer.from(bytes)
    writeSync(output, 'tables', 4 * page + 5)
    direct.write(bytes, page)
    const image = readFileSync(path)
    expect(image.toString('latin1', 0, 10)).toBe('superblock')
    expect(image.subarray(page, 4 * page + 5).equals(wanted)).toBe(true)
    expect(image.toString('latin1', 4 * page + 5)).toBe('tables')
  }),
)

test.runIf(isDirect)('memory that does not begin with a page is written through the cache', () =>
  withOutput(({ direct, path }) => {
    const bytes = paged(3 * page).subarray(1, 2 * page + 1)
    const wanted = Buffer.from(bytes)
    direct.write(bytes, 0)
    // and so is all that follows
    direct.write(paged(page), 2 * page)
    expect(
      readFileSync(path)
        .subarray(0, 2 * page)
        .equals(wanted),
    ).toBe(true)
  }),
)

test.runIf(existsSync('/dev/shm'))('a file in memory is not written directly', () => {
  const directory = mkdtempSync('/dev/shm/sregistry-')
  const output = openSync(join(directory, 'image'), 'w+')
  try {
    expect(DirectOutput.open(output)).toBeUndefined()
  } finally {
    closeSync(output)
    rmSync(directory, { recursive: true })
  }
})
