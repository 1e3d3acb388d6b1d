import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { InodeMetadata } from '../../src/squashfs/inode.ts'
import { openSquashfs } from '../../src/squashfs/squashfs-reader.ts'
import {
  device,
  directoryOf,
  pipe,
  SquashfsImageBuilder,
  symlink,
} from '../fakes/squashfs-image-builder.ts'
import { inTemporaryDirectory, judge, unsquash, withKernelMount } from '../fakes/squashfs-judges.ts'
import { hasTool, isRoot } from '../fakes/tools.ts'
import type { DirectoryInode, Inode } from '../fakes/tree-records.ts'
import { snapshotOfDirectory, snapshotOfReader, snapshotOfRecords } from '../fakes/tree-snapshot.ts'
import { memorySource } from './memory-source.ts'

const blockSize = 4096

/** A tree as a value, so that fast-check can show and shrink it; a link names an earlier inode. */
type Plan = { metadata: Omit<InodeMetadata, 'xattrs'> } & (
  | { kind: 'directory'; entries: [string, Plan][] }
  | { kind: 'file'; repeat: number; text: Uint8Array; tail: 'fragment' | 'block' }
  | { kind: 'symlink'; target: string }
  | { kind: 'device'; number: [number, number] }
  | { kind: 'fifo' }
  | { kind: 'link'; to: number }
)

const byte = (except: string) =>
  fc.integer({ min: 1, max: 255 }).map((code) => {
    const char = String.fromCharCode(code)
    return except.includes(char) ? '_' : char
  })
const bytes = (except: string, maxLength: number) =>
  fc.string({ unit: byte(except), minLength: 1, maxLength })
const name = bytes('/', 60).map((text) => (text === '.' || text === '..' ? '_' : text))
const metadata = fc.record({
  mode: fc.integer({ min: 0, max: 0o7777 }),
  uid: fc.constantFrom(0, 1000, 4_294_967_294),
  gid: fc.constantFrom(0, 100, 65_534),
  mtime: fc.integer({ min: 0, max: 4_294_967_295 }),
})

const { plan } = fc.letrec<{ plan: Plan; directory: Plan }>((tie) => ({
  directory: fc.record({
    kind: fc.constant('directory' as const),
    metadata,
    entries: fc.uniqueArray(fc.tuple(name, tie('plan')), {
      selector: ([text]) => text,
      maxLength: 12,
    }),
  }),
  plan: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    fc.record({
      kind: fc.constant('file' as const),
      metadata,
      repeat: fc.integer({ min: 0, max: 1500 }),
      text: fc.uint8Array({ maxLength: 20 }),
      tail: fc.constantFrom('fragment' as const, 'block' as const),
    }),
    fc.record({ kind: fc.constant('symlink' as const), metadata, target: bytes('', 80) }),
    fc.record({
      kind: fc.constant('device' as const),
      metadata,
      number: fc.tuple(fc.nat(4095), fc.nat(1_048_575)),
    }),
    fc.record({ kind: fc.constant('fifo' as const), metadata }),
    fc.record({ kind: fc.constant('link' as const), metadata, to: fc.nat() }),
    tie('directory'),
  ),
}))
const rootPlan = fc.record({
  kind: fc.constant('directory' as const),
  metadata,
  entries: fc.uniqueArray(fc.tuple(name, plan), { selector: ([text]) => text, maxLength: 30 }),
})

function build(
  builder: SquashfsImageBuilder,
  { entries, metadata: own }: Plan & { kind: 'directory' },
  earlier: Inode[] = [],
): DirectoryInode {
  return directoryOf(
    entries.map(([text, one]): [string, Inode] => [text, inodeOf(builder, one, earlier)]),
    own,
  )
}

function inodeOf(builder: SquashfsImageBuilder, plan: Plan, earlier: Inode[]): Inode {
  if (plan.kind === 'directory') return build(builder, plan, earlier)
  const linked = plan.kind === 'link' ? earlier[plan.to % (earlier.length || 1)] : undefined
  if (linked !== undefined) return linked
  const inode = leafOf(builder, plan)
  earlier.push(inode)
  return inode
}

function leafOf(builder: SquashfsImageBuilder, plan: Plan): Inode {
  if (plan.kind === 'symlink') return symlink(plan.target, { ...plan.metadata, mode: 0o777 })
  if (plan.kind === 'device') return device('char-device', plan.number, plan.metadata)
  if (plan.kind !== 'file') return pipe('fifo', plan.metadata)
  const { text, repeat, tail } = plan
  const content = Buffer.concat(Array.from({ length: repeat }, () => text))
  return builder.file(content, plan.metadata, { tail })
}

test('our reader sees the tree that was encoded', async () => {
  await fc.assert(
    fc.asyncProperty(rootPlan, async (planned) => {
      const builder = new SquashfsImageBuilder({ blockSize })
      const root = build(builder, planned)
      const reader = await openSquashfs(memorySource(builder.build(root)))
      expect(await snapshotOfReader(reader)).toEqual(snapshotOfRecords(root, builder.contents))
    }),
    { numRuns: 100 },
  )
})

test.skipIf(!isRoot || !hasTool('unsquashfs'))('unsquashfs and the kernel see it too', async () => {
  await fc.assert(
    fc.asyncProperty(rootPlan, (planned) =>
      inTemporaryDirectory(async (path) => {
        const image = join(path, 'image')
        const builder = new SquashfsImageBuilder({ blockSize })
        const root = build(builder, planned)
        await builder.write(image, root)
        const expected = snapshotOfRecords(root, builder.contents)
        expect(withKernelMount(image, snapshotOfDirectory)).toEqual(expected)
        judge('unsquashfs', '-lln', image)
        unsquash(image, join(path, 'out'))
        expect(snapshotOfDirectory(join(path, 'out'))).toEqual(expected)
      }),
    ),
    { numRuns: 40 },
  )
})
