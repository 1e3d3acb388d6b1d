import { execFileSync } from 'node:child_process'
import { lstatSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { openSquashfs } from '../../src/squashfs/squashfs-reader.ts'
import {
  directory,
  directoryOf,
  SquashfsImageBuilder,
  symlink,
} from '../fakes/squashfs-image-builder.ts'
import {
  inTemporaryDirectory,
  judge,
  withFuseMount,
  withKernelMount,
} from '../fakes/squashfs-judges.ts'
import { hasTool, isRoot } from '../fakes/tools.ts'
import type { DirectoryInode, Inode } from '../fakes/tree-records.ts'
import { memorySource } from './memory-source.ts'

/** Names of different lengths, so that runs and index points do not fall in step. */
function names(count: number): string[] {
  return Array.from({ length: count }, (_, at) => `${'n'.repeat(1 + (at % 40))}-${at}`)
}

function treeOf(count: number): DirectoryInode {
  const entries = names(count).map((name, at): [string, Inode] => [
    name,
    symlink(`${at}`, { mtime: at }),
  ])
  return directory({ before: symlink('x'), large: directoryOf(entries), z: symlink('x') })
}

/** Looks names up, each of which decompresses a block: all of 20,000, each 16th of 100,000. */
function wronglyFound(path: string, count: number): string[] {
  const step = count > 20_000 ? 16 : 1
  return names(count).filter(
    (name, at) => at % step === 0 && lstatSync(join(path, name)).mtimeMs !== at * 1000,
  )
}

describe.each([[257], [20_000], [100_000]])('a directory of %i entries', (count) => {
  const expected = names(count).toSorted()

  test('reads back in byte order', async () => {
    const builder = new SquashfsImageBuilder()
    const reader = await openSquashfs(memorySource(builder.build(treeOf(count))))
    const large = await reader.stat('large')
    if (large?.kind !== 'directory') throw new Error('no directory')
    const seen: string[] = []
    for await (const { name } of reader.entries(large)) seen.push(name)
    expect(seen).toEqual(expected)
  })

  test.skipIf(!isRoot)('is complete in the kernel, and names are found there', () =>
    inTemporaryDirectory(async (path) => {
      const image = join(path, 'image')
      await new SquashfsImageBuilder().write(image, treeOf(count))
      withKernelMount(image, (mounted) => {
        expect(readdirSync(join(mounted, 'large')).toSorted()).toEqual(expected)
        expect(wronglyFound(join(mounted, 'large'), count)).toEqual([])
        expect(() => lstatSync(join(mounted, 'large', 'n-none'))).toThrow(/ENOENT/)
      })
    }),
  )

  test.skipIf(!hasTool('unsquashfs') || !hasTool('rdsquashfs'))('is listed by others', () =>
    inTemporaryDirectory(async (path) => {
      const image = join(path, 'image')
      await new SquashfsImageBuilder().write(image, treeOf(count))
      const lines = judge('unsquashfs', '-lln', image).split('\n')
      expect(lines.filter((line) => line.includes('/large/'))).toHaveLength(count)
      const listed = judge('rdsquashfs', '-l', 'large', image).trimEnd().split('\n')
      expect(listed).toHaveLength(count)
    }),
  )
})

test.skipIf(!hasTool('squashfuse'))('squashfuse finds names by the index', () =>
  inTemporaryDirectory(async (path) => {
    const image = join(path, 'image')
    await new SquashfsImageBuilder().write(image, treeOf(20_000))
    withFuseMount(image, (mounted) => {
      for (const name of names(20_000).filter((_, at) => at % 97 === 0)) {
        expect(
          execFileSync('readlink', [join(mounted, 'large', name)])
            .toString()
            .trim(),
        ).toBe(name.split('-')[1])
      }
    })
  }),
)

test.skipIf(!isRoot)('entries whose inodes lie far away have runs of their own', () =>
  inTemporaryDirectory(async (path) => {
    const builder = new SquashfsImageBuilder()
    // hard links: the numbers of the shared inodes are far from those of their neighbours
    const shared = Array.from({ length: 40_000 }, (_, at) => symlink(`${at}`))
    const all = shared.map((inode, at): [string, Inode] => [`s${at}`, inode])
    const mixed = Array.from({ length: 50 }, (_, at): [string, Inode][] => [
      [`m${at}-far`, shared[at * 799] as Inode],
      [`m${at}-near`, symlink(`near ${at}`)],
    ])
    const root = directory({ a: directoryOf(all), b: directoryOf(mixed.flat()) })
    await builder.write(join(path, 'image'), root)
    withKernelMount(join(path, 'image'), (mounted) => {
      for (let at = 0; at < 50; at++) {
        const far = execFileSync('readlink', [join(mounted, 'b', `m${at}-far`)]).toString()
        expect(far).toBe(`${at * 799}\n`)
        expect(lstatSync(join(mounted, 'b', `m${at}-far`)).nlink).toBe(2)
      }
    })
  }),
)
