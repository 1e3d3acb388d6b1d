/** What is copied before the layout is known: kept as far as it is right, and never in the way. */
import { closeSync, ftruncateSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { CopyAhead, sharedLayers } from '../../../src/image/layout/copy-ahead.ts'
import type { CopiedRange } from '../../../src/image/layout/image-layout.ts'
import { copyRanges, LayerFiles } from '../../../src/image/layout/range-copy.ts'
import { computeDigest, formatDigest } from '../../../src/registry/digest.ts'
import { withScratch } from '../packed-layers.ts'

const megabyte = 1024 * 1024
const base = 4096

const remembered = {
  layers: ['sha256:aa', 'sha256:bb'],
  ranges: [
    { source: 0, position: 16, sizeBytes: 40 * megabyte, target: 96 },
    { source: 1, position: 16, sizeBytes: 30 * megabyte, target: 96 + 40 * megabyte },
  ],
}

/** Zeros with a word of its own at every megabyte. */
function writeLayer(path: string, name: string): void {
  const file = openSync(path, 'w')
  ftruncateSync(file, 50 * megabyte)
  for (let at = 0; at < 50; at += 1) writeSync(file, `${name} ${at}`, at * megabyte + 16)
  closeSync(file)
}

type World = {
  readonly ahead: CopyAhead
  readonly files: LayerFiles
  readonly paths: readonly string[]
  readonly output: FileHandle
  readonly path: string
}

function withAhead(work: (world: World) => Promise<void>): Promise<void> {
  return withScratch(async (directory) => {
    const paths = ['first', 'second'].map((name) => join(directory, name))
    for (const path of paths) writeLayer(path, path.slice(directory.length))
    const path = join(directory, 'image')
    const output = await open(path, 'w+')
    const ahead = await CopyAhead.start(remembered.ranges, paths, { output, base })
    const files = new LayerFiles(paths)
    await files.open()
    try {
      if (ahead === undefined) throw new Error('nothing is copied ahead')
      await work({ ahead, files, paths, output, path })
    } finally {
      await ahead?.close()
      await ahead?.close()
      await files.close()
      await output.close()
    }
  })
}

/** What the image must hold, by the plain way. */
async function expectCopied(world: World, ranges: readonly CopiedRange[]): Promise<void> {
  const wanted = await open(`${world.path}-wanted`, 'w+')
  await copyRanges(world.files, wanted, ranges, { base })
  await wanted.close()
  const bytes = readFileSync(`${world.path}-wanted`)
  expect(readFileSync(world.path).subarray(0, bytes.length).equals(bytes)).toBe(true)
}

test('what is right is finished, and only what follows is left', () =>
  withAhead(async (world) => {
    const more = { source: 2, position: 16, sizeBytes: 9, target: 96 + 70 * megabyte }
    const ranges = [...remembered.ranges, more]
    const confirmed = await world.ahead.confirm(ranges, world.files)
    expect(confirmed).toMatchObject({ remaining: [more], confirmedBytes: 70 * megabyte })
    await confirmed.copied
    await expectCopied(world, remembered.ranges)
  }))

test('a last range that goes on is left from where it was thought to end', () =>
  withAhead(async (world) => {
    const [first, second] = remembered.ranges as [CopiedRange, CopiedRange]
    const longer = { ...second, sizeBytes: 31 * megabyte }
    const { remaining } = await world.ahead.confirm([first, longer], world.files)
    expect(remaining).toEqual([
      {
        source: 1,
        position: 16 + 30 * megabyte,
        sizeBytes: megabyte,
        target: 96 + 70 * megabyte,
      },
    ])
  }))

test.each<[string, (first: CopiedRange, second: CopiedRange) => readonly CopiedRange[]]>([
  ['a range that lies elsewhere', (first, second) => [first, { ...second, target: 96 + megabyte }]],
  ['a range of another place', (first, second) => [first, { ...second, position: 17 }]],
  [
    'a shorter range',
    (first, second) => [
      { ...first, sizeBytes: 5 * megabyte },
      { ...second, target: 96 + 5 * megabyte },
    ],
  ],
  ['nothing', () => []],
])('where the image has %s, that is left to be copied', (_, rangesOf) =>
  withAhead(async (world) => {
    const ranges = rangesOf(...(remembered.ranges as [CopiedRange, CopiedRange]))
    const { remaining, confirmedBytes, copied } = await world.ahead.confirm(ranges, world.files)
    await copied
    const total = ranges.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
    const left = remaining.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
    expect(left).toBe(total - confirmedBytes)
    await copyRanges(world.files, world.output, remaining, { base })
    await expectCopied(world, ranges)
  }),
)

test('of a layer that was packed anew since, nothing counts', () =>
  withAhead(async (world) => {
    const [, path = ''] = world.paths
    writeLayer(`${path}-new`, 'packed anew')
    renameSync(`${path}-new`, path)
    const files = new LayerFiles(world.paths)
    await files.open()
    const { remaining } = await world.ahead.confirm(remembered.ranges, files)
    expect(remaining.at(-1)).toEqual(remembered.ranges[1])
    await copyRanges(files, world.output, remaining, { base })
    await expectCopied({ ...world, files }, remembered.ranges)
    await files.close()
  }))

test('an abort ends it', () =>
  withAhead(async ({ ahead, files }) => {
    const { copied } = await ahead.confirm(remembered.ranges, files, AbortSignal.abort())
    await expect(copied).rejects.toMatchObject({ code: 'CANCELLED' })
  }))

test.each([
  ['only a little is known to be there', ['first', 'gone']],
  ['nothing is there', ['gone', 'second']],
])('where %s, nothing is begun', (_, names) =>
  withScratch(async (directory) => {
    for (const name of ['first', 'second']) writeLayer(join(directory, name), name)
    const paths = names.map((name) => join(directory, name))
    const output = await open(join(directory, 'image'), 'w+')
    expect(await CopyAhead.start(remembered.ranges, paths, { output, base })).toBeUndefined()
    await output.close()
  }),
)

test('two images share their layers up to the first that differs', () => {
  const digests = ['a', 'b', 'c'].map((text) => computeDigest(Buffer.from(text)))
  const names = digests.map(formatDigest)
  const before = (layers: readonly string[]) => sharedLayers({ layers, ranges: [] }, digests)
  expect(before(names.slice(0, 2))).toBe(2)
  expect(before([...names, 'sha256:aa'])).toBe(3)
  expect(before([names[0] ?? '', 'sha256:aa', names[2] ?? ''])).toBe(1)
  expect(before([])).toBe(0)
})
