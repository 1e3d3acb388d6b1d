import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { exportTree } from '../../src/image/export-tar.ts'
import { openSquashfs } from '../../src/squashfs/squashfs-reader.ts'
import {
  device,
  directory,
  pipe,
  SquashfsImageBuilder,
  symlink,
} from '../fakes/squashfs-image-builder.ts'
import { unsquash } from '../fakes/squashfs-judges.ts'
import { hasTool, isRoot } from '../fakes/tools.ts'
import type { Inode } from '../fakes/tree-records.ts'
import { snapshotOfDirectory } from '../fakes/tree-snapshot.ts'
import { memorySource } from '../squashfs/memory-source.ts'

const long = 'n'.repeat(200)
const xattrs = new Map([
  ['user.note', Buffer.from('=two\nlines\0')],
  ['security.capability', Buffer.from('0100000200040000000000000000000000000000', 'hex')],
])

let work: string
beforeEach(() => {
  work = mkdtempSync(join(tmpdir(), 'sregistry-export-'))
})
afterEach(() => rmSync(work, { recursive: true }))

function oddTree(builder: SquashfsImageBuilder): Record<string, Inode> {
  const linked = builder.file('linked', { uid: 7, gid: 3_000_000, mode: 0o4755 })
  return {
    a: linked,
    [long]: directory({ [long]: builder.file('deep'), again: linked }, { mode: 0o1777 }),
    big: builder.file(Buffer.alloc(300_000, 'x')),
    caps: builder.file('caps', { xattrs }),
    empty: builder.file(''),
    fifo: pipe('fifo'),
    latin: symlink('\xe9t\xe9'),
    'name\xff': builder.file('not UTF-8'),
    null: device('char-device', [1, 3]),
    sda: device('block-device', [8, 300]),
    socket: pipe('socket'),
    way: symlink(`/${long}/${long}`),
  }
}

async function exported(): Promise<{ image: Buffer; tar: Buffer; notes: string[] }> {
  const builder = new SquashfsImageBuilder()
  const tree = oddTree(builder)
  const image = builder.build(directory(tree, { mode: 0o751 }))
  const notes: string[] = []
  const pieces: Uint8Array[] = []
  const reader = await openSquashfs(memorySource(image))
  for await (const piece of exportTree(reader, { onNote: (text) => notes.push(text) })) {
    pieces.push(piece)
  }
  return { image, tar: Buffer.concat(pieces), notes }
}

test('what an archive cannot hold is told', async () => {
  expect((await exported()).notes).toEqual(['/socket is a socket, which an archive cannot hold'])
})

describe.skipIf(!isRoot || !hasTool('unsquashfs') || !hasTool('getfattr'))('GNU tar', () => {
  test('makes the tree that unsquashfs makes, but for sockets', async () => {
    const { image, tar } = await exported()
    const [imagePath, tarPath] = [join(work, 'i.simg'), join(work, 't.tar')]
    writeFileSync(imagePath, image)
    writeFileSync(tarPath, tar)
    const [unsquashed, untarred] = [join(work, 'unsquashed'), join(work, 'untarred')]
    unsquash(imagePath, unsquashed)
    mkdirSync(untarred)
    const flags = ['--xattrs', '--xattrs-include=*', '--numeric-owner', '--same-owner', '-p']
    execFileSync('tar', [...flags, '-xf', tarPath, '-C', untarred], { stdio: 'pipe' })
    rmSync(join(unsquashed, 'socket'))
    const expected = snapshotOfDirectory(unsquashed)
    const found = snapshotOfDirectory(untarred)
    // removing the socket changed the time of the root
    expect({ ...found, '': undefined }).toEqual({ ...expected, '': undefined })
    const dump = (root: string) =>
      execFileSync('getfattr', ['-d', '-m', '-', '-e', 'hex', 'caps'], { cwd: root }).toString()
    expect(dump(untarred)).toBe(dump(unsquashed))
    expect(dump(untarred)).toContain('security.capability')
  })
})
