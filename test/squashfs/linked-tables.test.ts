import { expect, test } from 'vitest'
import { LinkedTables } from '../../src/squashfs/linked-tables.ts'
import { MetadataWriter } from '../../src/squashfs/metadata-writer.ts'
import { testCompressor } from '../fakes/squashfs-image-builder.ts'

const blockBytes = 8192
const compression = { kind: 'none', level: 1 } as const

/** A table of raw blocks without their two bytes of length. */
function contentOf(table: Uint8Array): Buffer {
  const parts: Uint8Array[] = []
  for (let at = 0; at < table.length; at += blockBytes + 2) {
    parts.push(table.subarray(at + 2, at + 2 + blockBytes))
  }
  return Buffer.concat(parts)
}

test.each([0, 1, 2, 3, 4, 5])(
  'a reference that begins %i bytes before the end of a block is whole',
  (bytesBefore) => {
    const linked = new LinkedTables(testCompressor(compression))
    const inodes = new MetadataWriter((...block) => linked.store('inodes', ...block))
    const directories = new MetadataWriter((...block) => linked.store('directories', ...block))
    directories.claim(2 * blockBytes + 7)
    const { reference } = directories
    const [block, offset] = [Math.floor(reference / 65_536), reference % 65_536]
    expect([block, offset]).toEqual([2, 7])
    inodes.claim(blockBytes - bytesBefore)
    const at = inodes.claim(20)
    inodes.bytes.fill(0xee, at, at + 20)
    inodes.refer(at, block)
    directories.finish()
    inodes.finish()
    const stored = linked.finish(65_536 + 3)
    const bytes = contentOf(stored.inodeTable)
    const place = blockBytes - bytesBefore
    // two blocks lie before it, each with two bytes of length
    expect(bytes.readUInt32LE(place)).toBe(2 * (blockBytes + 2))
    expect(bytes.subarray(place + 4, place + 20).every((byte) => byte === 0xee)).toBe(true)
    expect(stored.rootReference).toBe((blockBytes + 2) * 65_536 + 3)
  },
)

test('what refers to a block that is not full yet is told where it will begin', () => {
  const linked = new LinkedTables(testCompressor(compression))
  const inodes = new MetadataWriter((...block) => linked.store('inodes', ...block))
  const directories = new MetadataWriter((...block) => linked.store('directories', ...block))
  inodes.claim(blockBytes + 1)
  const { reference } = inodes
  directories.refer(directories.claim(4), Math.floor(reference / 65_536))
  directories.finish()
  inodes.finish()
  const { directoryTable } = linked.finish(0)
  expect(contentOf(directoryTable).readUInt32LE(0)).toBe(blockBytes + 2)
})
