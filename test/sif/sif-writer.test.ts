import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { sifPrefix } from '../../src/sif/sif-writer.ts'
import { hasTool, isRoot } from '../fakes/tools.ts'
import { deffile, inspectJson, ociJson, sampleSif } from './sample-sif.ts'
import { scratchDirectory, scratchFile } from './scratch-file.ts'

/** A reader that shares nothing with ours: Python's struct, the layout written out once more. */
const pythonReader = `
import json, struct, sys
data = open(sys.argv[1], 'rb').read()
names = 'launch magic version arch uuid created modified free total descr_off descr_size data_off data_size'
head = dict(zip(names.split(), struct.unpack_from('<32s10s3s3s16s8q', data)))
fields = 'type used id group link offset size padded created modified uid gid name'
table = []
for n in range(head['total']):
    raw = data[head['descr_off'] + 585 * n : head['descr_off'] + 585 * (n + 1)]
    one = dict(zip(fields.split(), struct.unpack_from('<iBIIIqqqqqqq128s', raw)))
    one['extra'] = raw[201:].rstrip(b'\\0').hex()
    assert one['used'] or raw == bytes(585)
    if one['used']: table.append(one)
plain = lambda v: v.rstrip(b'\\0').decode() if isinstance(v, bytes) else v
clean = lambda d: {k: plain(v) for k, v in d.items()}
body = [data[d['offset'] : d['offset'] + d['size']].decode('latin1')[:40] for d in table]
print(json.dumps([clean(head), [clean(d) for d in table], body, len(data)]))
`

function readWithPython(bytes: Buffer): unknown[] {
  const path = scratchFile(bytes)
  return JSON.parse(execFileSync('python3', ['-c', pythonReader, path]).toString())
}

const goZeroTime = -62_135_596_800
const python = hasTool('python3')

test.skipIf(!python)('another reader finds header, objects and partition where they belong', () => {
  const squashfs = Buffer.alloc(8192, 'hsqs')
  const [head, objects, bodies, length] = readWithPython(sampleSif(squashfs))
  expect(head).toEqual({
    launch: '#!/usr/bin/env run-singularity\n',
    magic: 'SIF_MAGIC',
    version: '01',
    arch: '02',
    uuid: '',
    created: goZeroTime,
    modified: goZeroTime,
    free: 44,
    total: 48,
    descr_off: 4096,
    descr_size: 28080,
    data_off: 32176,
    data_size: 592 + 8192,
  })
  const common = {
    ...{ used: 1, group: 0xf000_0001, link: 0, uid: 0, gid: 0, name: '', extra: '' },
    ...{ created: goZeroTime, modified: goZeroTime },
  }
  const [a, b, c] = [deffile.length, inspectJson.length, ociJson.length]
  expect(objects).toEqual([
    { ...common, type: 0x4001, id: 1, offset: 32176, size: a, padded: a },
    {
      ...common,
      type: 0x4006,
      id: 2,
      offset: 32176 + a,
      size: b,
      padded: b,
      name: 'inspect-metadata.json',
    },
    {
      ...common,
      type: 0x4006,
      id: 3,
      offset: 32176 + a + b,
      size: c,
      padded: c,
      name: 'oci-config.json',
    },
    {
      ...common,
      ...{
        type: 0x4004,
        id: 4,
        offset: 32768,
        size: 8192,
        padded: 32768 - (32176 + a + b + c) + 8192,
      },
      extra: '01000000020000003032',
    },
  ])
  expect(bodies).toEqual(
    [deffile, inspectJson, ociJson, squashfs].map((body) => `${body}`.slice(0, 40)),
  )
  expect(length).toBe(32768 + 8192)
})

test.skipIf(!python).each([
  ['386', '01'],
  ['arm', '03'],
  ['arm64', '04'],
  ['ppc64le', '06'],
  ['mips64le', '10'],
  ['s390x', '11'],
  ['riscv64', '12'],
  ['loong64', '13'],
  ['vax', '00'],
  ['', '00'],
])('the architecture %s is %s in header and partition', (architecture, code) => {
  const [head, objects] = readWithPython(sampleSif(Buffer.alloc(4096), architecture))
  expect(head).toMatchObject({ arch: code })
  const extra = `0100000002000000${Buffer.from(code).toString('hex')}`
  expect((objects as unknown[]).at(-1)).toMatchObject({ extra })
})

test('a definition file that ends on a page leaves no gap before the squashfs', () => {
  const empty = { jsonObjects: [], partitionBytes: 4096, architecture: 'arm64' }
  const at = (length: number) =>
    sifPrefix({ ...empty, deffile: Buffer.alloc(length) }).partitionOffset
  expect([at(0), at(592), at(593)]).toEqual([32768, 32768, 36864])
})

test('the same contents give the same bytes', () => {
  expect(sampleSif(Buffer.alloc(4096)).equals(sampleSif(Buffer.alloc(4096)))).toBe(true)
})

test.each([
  ['a squashfs that is not padded', { partitionBytes: 4097 }],
  ['an empty squashfs', { partitionBytes: 0 }],
  ['a name without room', { jsonObjects: [{ name: 'x'.repeat(128), bytes: deffile }] }],
  ['too many objects', { jsonObjects: Array(47).fill({ name: 'x', bytes: deffile }) }],
])('%s is refused', (_, wrong) => {
  const right = { deffile, jsonObjects: [], partitionBytes: 4096, architecture: 'amd64' }
  expect(() => sifPrefix({ ...right, ...wrong })).toThrow(
    expect.objectContaining({ code: 'INTERNAL' }),
  )
})

/** A real squashfs in a SIF, and where it starts. */
function realSif(): { readonly directory: string; readonly path: string; readonly offset: number } {
  const directory = scratchDirectory()
  mkdirSync(join(directory, 'tree'))
  writeFileSync(join(directory, 'tree', 'hello'), 'hello from the squashfs\n')
  mkdirSync(join(directory, 'mnt'))
  run(directory, 'mksquashfs', ['tree', 'image.sqfs', '-quiet', '-no-progress'])
  const bytes = sampleSif(readFileSync(join(directory, 'image.sqfs')))
  writeFileSync(join(directory, 'image.sif'), bytes)
  return { directory, path: 'image.sif', offset: 32768 }
}

function run(cwd: string, program: string, args: readonly string[]): string {
  const { stdout, stderr, status } = spawnSync(program, args, { cwd })
  expect({ program, stderr: `${stderr}`, status }).toMatchObject({ program, status: 0 })
  return stdout.toString()
}

const mksquashfs = hasTool('mksquashfs')

test.skipIf(!mksquashfs || !hasTool('unsquashfs'))('unsquashfs reads the squashfs in place', () => {
  const { directory, path, offset } = realSif()
  const text = run(directory, 'unsquashfs', ['-o', `${offset}`, '-cat', path, 'hello'])
  expect(text).toBe('hello from the squashfs\n')
})

test.skipIf(!mksquashfs || !hasTool('squashfuse'))(
  'squashfuse mounts the squashfs in place',
  () => {
    const { directory, path, offset } = realSif()
    run(directory, 'squashfuse', ['-o', `offset=${offset}`, path, 'mnt'])
    try {
      expect(readFileSync(join(directory, 'mnt/hello'), 'utf8')).toBe('hello from the squashfs\n')
    } finally {
      run(directory, 'fusermount', ['-u', 'mnt'])
    }
  },
)

test.skipIf(!mksquashfs || !isRoot)(
  'the kernel mounts the squashfs in place, limited to its size',
  () => {
    const { directory, path, offset } = realSif()
    const sizeLimit = readFileSync(join(directory, path)).length - offset
    const options = `loop,ro,offset=${offset},sizelimit=${sizeLimit}`
    run(directory, 'mount', ['-t', 'squashfs', '-o', options, path, 'mnt'])
    try {
      expect(readFileSync(join(directory, 'mnt/hello'), 'utf8')).toBe('hello from the squashfs\n')
    } finally {
      run(directory, 'umount', ['mnt'])
    }
  },
)
