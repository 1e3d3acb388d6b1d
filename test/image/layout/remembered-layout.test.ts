import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { recallLayout, rememberLayout } from '../../../src/image/layout/remembered-layout.ts'
import { withScratch } from '../packed-layers.ts'

const layout = {
  layers: ['sha256:aa', 'sha256:bb'],
  ranges: [
    { source: 0, position: 16, sizeBytes: 5_000_000_000, target: 96 },
    { source: 1, position: 16, sizeBytes: 7, target: 5_000_000_096 },
  ],
}

test('what is remembered is recalled, and the last one counts', () =>
  withScratch(async (directory) => {
    const path = join(directory, 'one.layout')
    expect(await recallLayout(path)).toBeUndefined()
    await rememberLayout(path, { layers: [], ranges: [] })
    await rememberLayout(path, layout)
    expect(await recallLayout(path)).toEqual(layout)
    expect(readdirSync(directory)).toEqual(['one.layout'])
  }))

test.each([
  ['half of one', '{"version":1,"layers":["sha256:aa"],"ran'],
  ['no object', 'null'],
  ['another version', '{"version":2,"layers":["a"],"ranges":[]}'],
  ['a layer that is no text', '{"version":1,"layers":[1],"ranges":[]}'],
  ['a range that is none', '{"version":1,"layers":["a"],"ranges":[7]}'],
  ['a range cut short', '{"version":1,"layers":["a"],"ranges":[[0,1,2]]}'],
  ['a range before the begin', '{"version":1,"layers":["a"],"ranges":[[0,-1,2,3]]}'],
  ['a range of no layer', '{"version":1,"layers":["a"],"ranges":[[1,1,2,3]]}'],
  ['a range beyond numbers', '{"version":1,"layers":["a"],"ranges":[[0,1,2,1e300]]}'],
  ['a range over another', '{"version":1,"layers":["a"],"ranges":[[0,16,9,96],[0,25,9,96]]}'],
  ['a gap before a range', '{"version":1,"layers":["a"],"ranges":[[0,16,9,96],[0,25,9,106]]}'],
  ['the same bytes twice', '{"version":1,"layers":["a"],"ranges":[[0,16,9,96],[0,16,9,105]]}'],
  ['a layer before another', '{"version":1,"layers":["a","b"],"ranges":[[1,0,1,96],[0,0,1,97]]}'],
  ['a first range far behind', '{"version":1,"layers":["a"],"ranges":[[0,16,9,1000000]]}'],
  ['very much', `{"version":1,"layers":["a"],"ranges":[]${' '.repeat(1_048_576)}}`],
])('%s is no layout', (_, text) =>
  withScratch(async (directory) => {
    writeFileSync(join(directory, 'l'), text)
    expect(await recallLayout(join(directory, 'l'))).toBeUndefined()
  }),
)

test.each<[string, (path: string) => void]>([
  ['a pipe that nobody writes to', (path) => execFileSync('mkfifo', [path])],
  ['a device without end', (path) => symlinkSync('/dev/zero', path)],
  ['a directory', (path) => mkdirSync(path)],
])('%s is no layout, and nobody waits for it', (_, make) =>
  withScratch(async (directory) => {
    make(join(directory, 'l'))
    expect(await recallLayout(join(directory, 'l'))).toBeUndefined()
  }),
)

test('where nothing can be kept, nothing happens', async () => {
  await expect(rememberLayout('/nowhere/l', layout)).resolves.toBeUndefined()
})

test('of very many ranges the first ones are remembered', () =>
  withScratch(async (directory) => {
    const path = join(directory, 'l')
    const ranges = Array.from({ length: 10_001 }, (__, i) => ({
      source: 0,
      position: 2 * i,
      sizeBytes: 1,
      target: i,
    }))
    await rememberLayout(path, { layers: ['sha256:aa'], ranges })
    expect((await recallLayout(path))?.ranges).toEqual(ranges.slice(0, 10_000))
  }))
