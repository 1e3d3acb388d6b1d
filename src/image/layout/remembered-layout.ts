/**
 * Where the data of a repository's last image lay, kept beside its packed layers. A new tag mostly begins
 * with the layers of the one before, and their data with the same bytes: copying them can begin before the
 * new image is laid out. It is a hint: nothing in an image depends on it, also where another user of the
 * cache wrote it.
 */
import { constants } from 'node:fs'
import { open, rename, unlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { headBytes } from '../../sif/detect-image.ts'
import { temporaryName } from '../../storage/temporary-name.ts'
import type { CopiedRange } from './image-layout.ts'

export type RememberedLayout = {
  /** Digests of the image's layers, lowest first: `sha256:…`. */
  readonly layers: readonly string[]
  /** In the order of their targets; `source` is an index into `layers`. */
  readonly ranges: readonly CopiedRange[]
}

const version = 1
/** An image with more ranges remembers its first ones. */
const mostRanges = 10_000
/** More than that many ranges take. */
const mostBytes = 1_048_576

/** @returns undefined where there is none that can be read. */
export async function recallLayout(path: string): Promise<RememberedLayout | undefined> {
  try {
    return decode(JSON.parse(await readText(path)))
  } catch {
    return undefined
  }
}

/** Without an fsync, and in silence where it cannot be kept: half a file is no layout. */
export async function rememberLayout(path: string, layout: RememberedLayout): Promise<void> {
  const temporary = join(dirname(path), temporaryName())
  try {
    await writeFile(temporary, encode(layout), { flag: 'wx', mode: 0o644 })
    await rename(temporary, path)
  } catch {
    await unlink(temporary).catch(() => undefined)
  }
}

/** @throws for anything but a file of moderate size: a pipe would be waited for, a device has no end. */
async function readText(path: string): Promise<string> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    const stats = await file.stat()
    if (!stats.isFile() || stats.size > mostBytes) throw new RangeError('it is no layout')
    const { buffer, bytesRead } = await file.read(Buffer.alloc(stats.size), 0, stats.size, 0)
    return buffer.toString('utf8', 0, bytesRead)
  } finally {
    await file.close()
  }
}

function encode({ layers, ranges }: RememberedLayout): string {
  const numbers = ranges
    .slice(0, mostRanges)
    .map(({ source, position, sizeBytes, target }) => [source, position, sizeBytes, target])
  return JSON.stringify({ version, layers, ranges: numbers })
}

function decode(value: unknown): RememberedLayout | undefined {
  if (!isLayout(value) || value.version !== version) return undefined
  const { layers } = value
  const ranges = value.ranges.map(([source = -1, position = -1, sizeBytes = -1, target = -1]) => {
    return { source, position, sizeBytes, target }
  })
  const isWhole = ranges.every(
    (range, index) =>
      Object.values(range).every((one) => Number.isSafeInteger(one) && one >= 0) &&
      range.source < layers.length &&
      isNext(range, ranges[index - 1]),
  )
  return isWhole ? { layers, ranges } : undefined
}

/**
 * Whether a range lies where a layout has it: behind the one before, and of bytes that come after it. What
 * is right of the first ones would be written over by others that lie elsewhere.
 */
function isNext(range: CopiedRange, before: CopiedRange | undefined): boolean {
  if (before === undefined) return range.target <= headBytes
  const isLater =
    range.source > before.source ||
    (range.source === before.source && range.position >= before.position + before.sizeBytes)
  return isLater && range.target === before.target + before.sizeBytes
}

type Stored = { version: number; layers: string[]; ranges: number[][] }

function isLayout(value: unknown): value is Stored {
  const stored = value as Partial<Stored> | null
  return (
    Array.isArray(stored?.layers) &&
    stored.layers.every((one) => typeof one === 'string') &&
    Array.isArray(stored.ranges) &&
    stored.ranges.every(Array.isArray)
  )
}
