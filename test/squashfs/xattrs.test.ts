import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openSquashfs } from '../../src/squashfs/squashfs-reader.ts'
import {
  device,
  directory,
  directoryOf,
  type Metadata,
  pipe,
  SquashfsImageBuilder,
  symlink,
} from '../fakes/squashfs-image-builder.ts'
import { inTemporaryDirectory, judge, unsquash, withKernelMount } from '../fakes/squashfs-judges.ts'
import { hasTool, isRoot } from '../fakes/tools.ts'
import { memorySource } from './memory-source.ts'

const capability = Buffer.from('0100000200200000000000000000000000000000', 'hex')

function withXattrs(xattrs: Record<string, string | Uint8Array>): Metadata {
  const entries = Object.entries(xattrs)
  return { xattrs: new Map(entries.map(([name, value]) => [name, Buffer.from(value)])) }
}

const everyNamespace = {
  'trusted.opaque': 'y',
  'user.b': 'second',
  'security.capability': capability,
  'user.a': 'first',
  'user.empty': '',
}

function buildTree(builder: SquashfsImageBuilder) {
  const all = withXattrs(everyNamespace)
  return directory(
    {
      file: builder.file('text', all),
      same: builder.file('other', withXattrs({ ...everyNamespace })),
      large: builder.file('x', withXattrs({ 'user.large': Buffer.alloc(60_000, 'v') })),
      directory: directory({ inside: builder.file('x') }, withXattrs({ 'user.d': 'd' })),
      symlink: symlink('file', withXattrs({ 'trusted.s': 's' })),
      device: device('char-device', [1, 3], withXattrs({ 'trusted.n': 'n' })),
      fifo: pipe('fifo', withXattrs({ 'trusted.p': 'p' })),
      acl: builder.file('x', withXattrs({ 'system.posix_acl_access': 'no place for it' })),
      none: builder.file('none', { xattrs: new Map() }),
    },
    withXattrs({ 'user.root': 'root' }),
  )
}

test('attributes of every kind of inode read back, those without a place left out', async () => {
  const builder = new SquashfsImageBuilder()
  const reader = await openSquashfs(memorySource(builder.build(buildTree(builder))))
  const seen: Record<string, unknown> = {}
  for await (const { path, inode } of reader.walk()) {
    const xattrs = await reader.xattrs(inode)
    if (xattrs === undefined) continue
    seen[path] = [...xattrs].map(([name, value]) => `${name}=${value.length} ${value.at(0)}`)
  }
  const all = [
    'security.capability=20 1',
    'trusted.opaque=1 121',
    'user.a=5 102',
    'user.b=6 115',
    'user.empty=0 undefined',
  ]
  expect(seen).toEqual({
    '': ['user.root=4 114'],
    file: all,
    same: all,
    large: ['user.large=60000 118'],
    directory: ['user.d=1 100'],
    symlink: ['trusted.s=1 115'],
    device: ['trusted.n=1 110'],
    fifo: ['trusted.p=1 112'],
  })
})

test('equal sets share an id, and an image without attributes has no table of them', async () => {
  const builder = new SquashfsImageBuilder()
  const reader = await openSquashfs(memorySource(builder.build(buildTree(builder))))
  const file = await reader.stat('file')
  expect(file?.xattrId).toBeTypeOf('number')
  expect((await reader.stat('same'))?.xattrId).toBe(file?.xattrId)
  const bare = new SquashfsImageBuilder()
  const image = await openSquashfs(memorySource(bare.build(directory({}))))
  expect(image.superblock.xattrTable).toBeUndefined()
})

const getfattr = ['-R', '-P', '-h', '-d', '-m', '-', '-e', 'hex', '--absolute-names']

function expectAttributes(dump: string): void {
  const hex = Buffer.from('first').toString('hex')
  expect(dump).toContain(`user.a=0x${hex}\n`)
  expect(dump).toContain(`security.capability=0x${capability.toString('hex')}\n`)
  expect(dump.match(/trusted\.opaque=0x79/g)).toHaveLength(2)
  expect(dump).toContain('trusted.s=0x73')
  expect(dump).toContain('trusted.n=0x6e')
  expect(dump).toContain('trusted.p=0x70')
  expect(dump).toContain('user.d=0x64')
  expect(dump).toContain(`user.root=0x${Buffer.from('root').toString('hex')}`)
  expect(dump).toContain(`user.large=0x${'76'.repeat(60_000)}\n`)
  expect(dump).not.toContain('system.')
}

test.skipIf(!hasTool('getfattr') || !isRoot)('the kernel shows the attributes', () =>
  inTemporaryDirectory(async (path) => {
    const builder = new SquashfsImageBuilder()
    await builder.write(join(path, 'image'), buildTree(builder))
    expectAttributes(
      withKernelMount(join(path, 'image'), (mounted) => judge('getfattr', ...getfattr, mounted)),
    )
  }),
)

test.skipIf(!hasTool('rdsquashfs'))('rdsquashfs shows the attributes', () =>
  inTemporaryDirectory(async (path) => {
    const builder = new SquashfsImageBuilder()
    await builder.write(join(path, 'image'), buildTree(builder))
    const shown = judge('rdsquashfs', '-x', 'same', join(path, 'image'))
    expect(shown).toContain('user.b=second')
    expect(shown).toContain('trusted.opaque=y')
  }),
)

test.skipIf(!hasTool('unsquashfs') || !isRoot)('unsquashfs unpacks the attributes', () =>
  inTemporaryDirectory(async (path) => {
    const builder = new SquashfsImageBuilder()
    await builder.write(
      join(path, 'image'),
      directory({ x: builder.file('x', withXattrs({ 'user.a': 'first' })) }),
    )
    unsquash(join(path, 'image'), join(path, 'out'))
    expect(judge('getfattr', ...getfattr, join(path, 'out'))).toContain('user.a=0x6669727374')
  }),
)

test.skipIf(!isRoot || !hasTool('getfattr'))('more sets than one block of their table holds', () =>
  inTemporaryDirectory(async (path) => {
    const builder = new SquashfsImageBuilder()
    const files = Array.from({ length: 700 }, (_, at): [string, ReturnType<typeof symlink>] => [
      `f${at}`,
      symlink('x', withXattrs({ 'trusted.n': `value ${at}` })),
    ])
    await builder.write(join(path, 'image'), directoryOf(files))
    const dump = withKernelMount(join(path, 'image'), (at) => judge('getfattr', ...getfattr, at))
    expect(new Set(dump.match(/trusted\.n=0x\w+/g))).toHaveLength(700)
    expect(dump).toContain(`f699\ntrusted.n=0x${Buffer.from('value 699').toString('hex')}`)
  }),
)

test.each([
  ['a name', { [`user.${'n'.repeat(251)}`]: 'x' }],
  ['a value', { 'user.x': Buffer.alloc(65_537) }],
])('%s that Linux could not take is refused', (_, xattrs) => {
  const builder = new SquashfsImageBuilder()
  const root = directory({ x: builder.file('x', withXattrs(xattrs)) })
  expect(() => builder.build(root)).toThrow(
    expect.objectContaining({
      code: 'LIMIT_EXCEEDED',
      message: expect.stringMatching(/^\/x: the extended attribute "user\./),
    }),
  )
})
