/** Every form of image file, read by programs and a kernel we did not write, against umoci's tree. */
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as zlib from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  buildImageFile,
  squashfsOffset,
  unpackWithUmoci,
  withoutMetadataLayer,
} from '../fakes/image-file.ts'
import { listTree, type TreeRecord, treeDifferences } from '../fakes/reference-tree.ts'
import { judge, withFuseMount, withKernelMount } from '../fakes/squashfs-judges.ts'
import { hasTool, isRoot } from '../fakes/tools.ts'
import { wholeImage } from './whole-image.ts'

const tools = [
  'umoci',
  'unsquashfs',
  'mksquashfs',
  'rdsquashfs',
  'sqfsdiff',
  'squashfuse',
  'python3',
]
const canRun = tools.map(hasTool).every(Boolean) && isRoot

/** Directories that no entry describes: their time is the image's with us, the clock's with umoci. */
const implied = ['sizes', 'long', 'deep', 'names', 'many', 'usr/lib/implied']

/** Above implied directories umoci leaves the clock's time; what we give them is checked by itself. */
const touched = new Map([
  ['', 1_600_000_000],
  ['usr', 1_700_000_000],
  ['usr/lib', 1_700_000_000],
])

describe.skipIf(!canRun)('an image with everything in it', () => {
  let directory: string
  let rootfs: string
  let reference: readonly TreeRecord[]
  const image = wholeImage()

  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'sregistry-whole-'))
    rootfs = unpackWithUmoci(image, directory)
    reference = listTree(rootfs)
  })
  afterAll(() => rmSync(directory, { recursive: true, force: true }))

  const differences = (records: readonly TreeRecord[], wanted = reference) =>
    treeDifferences(wanted, withoutMetadataLayer(records, reference), {
      ignore: ({ path }) => (isImplied(path) || touched.has(path) ? ['mtime'] : []),
    })

  const forms = [
    ['gzip:1', 'simg'],
    ['gzip:9', 'sif'],
    ['none', 'simg'],
    ['none', 'sif'],
    ...('createZstdCompress' in zlib
      ? [['zstd', 'simg'] as const, ['zstd:3', 'sif'] as const]
      : []),
  ] as const

  describe.each(forms)('%s .%s', (compression, ending) => {
    const path = () => join(directory, `${compression.replace(':', '-')}.${ending}`)
    let offset: number
    beforeAll(async () => {
      await buildImageFile(image, path(), { compression })
      offset = squashfsOffset(path())
    })

    test('unsquashfs lists it and unpacks the tree of umoci', () => {
      const listing = judge('unsquashfs', '-o', String(offset), '-lln', path())
      expect(listing).toContain('squashfs-root/usr/lib/through-symlink')
      const to = `${path()}.unpacked`
      judge('unsquashfs', '-n', '-q', '-o', String(offset), '-d', to, path())
      const records = listTree(to)
      expect(differences(records)).toEqual([])
      const times = records.filter(({ path }) => touched.has(path))
      expect(new Map(times.map(({ path, mtime }) => [path, mtime]))).toEqual(touched)
    })

    test('the kernel mounts it as the tree of umoci', () => {
      expect(withKernelMount(path(), (at) => differences(listTree(at)), offset)).toEqual([])
    })

    test('squashfuse mounts it as the tree of umoci', () => {
      const records = withFuseMount(path(), listTree, offset).map(asStored)
      expect(differences(records, reference.map(withoutLinks))).toEqual([])
    })
  })

  test('squashfs-tools-ng finds it equal to what mksquashfs makes of the tree of umoci', async () => {
    const ours = join(directory, 'ng.simg')
    await buildImageFile(image, ours)
    const unpacked = join(directory, 'ng.unpacked')
    judge('unsquashfs', '-n', '-q', '-d', unpacked, ours)
    addMetadataLayer(unpacked, rootfs, withoutMetadataPaths(unpacked, reference))
    const theirs = join(directory, 'mksquashfs.simg')
    judge('mksquashfs', rootfs, theirs, '-noappend', '-no-progress', '-quiet', '-comp', 'gzip')
    // it tells basic from extended inodes too, where mksquashfs chooses otherwise for sparse files
    const lines = judged('sqfsdiff', '-a', ours, '-b', theirs).split('\n')
    expect(lines.filter((line) => !/ has an? (basic|extended) type$/.test(line))).toEqual([''])
    expect(judge('rdsquashfs', '-d', ours)).toContain('usr/lib/implied/below')
    expect(judge('rdsquashfs', '-x', '/bin/ping', ours)).toContain('security.capability')
  })
})

/** What sqfsdiff prints, whether or not it finds a difference (exit code 1). */
function judged(program: string, ...args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'latin1' })
  if (status !== 0 && status !== 1) throw new Error(`${program}: ${stderr}`)
  return stdout
}

function withoutLinks(record: TreeRecord): TreeRecord {
  const { links: _, ...rest } = record
  return rest
}

/**
 * squashfuse gives each path an inode number of its own, and takes the types 1 and 2 of xattrs for
 * security and trusted, the wrong way round (0.1.104; it does so with images of mksquashfs too).
 */
function asStored(record: TreeRecord): TreeRecord {
  const swapped = Object.entries(record.xattrs).map(([name, value]) => [
    name.replace(/^(trusted|security)\./, (prefix) =>
      prefix === 'trusted.' ? 'security.' : 'trusted.',
    ),
    value,
  ])
  return { ...withoutLinks(record), xattrs: Object.fromEntries(swapped) }
}

function isImplied(path: string): boolean {
  return implied.some((top) => path === top) || /^deep(\/[de]+)*$/.test(path)
}

/** What the image has and the tree of umoci has not: the metadata layer's own entries, topmost only. */
function withoutMetadataPaths(unpacked: string, reference: readonly TreeRecord[]): string[] {
  const records = listTree(unpacked)
  const kept = new Set(withoutMetadataLayer(records, reference))
  const added = records.filter((record) => !kept.has(record)).map(({ path }) => path)
  return added.filter((path) => !added.some((other) => path.startsWith(`${other}/`)))
}

function addMetadataLayer(from: string, to: string, paths: readonly string[]): void {
  for (const path of paths) {
    execFileSync('cp', ['-a', '--', join(from, path), join(to, path)])
    if (!existsSync(join(to, path)) && !path.startsWith('.'))
      throw new Error(`${path} was not copied`)
  }
}
