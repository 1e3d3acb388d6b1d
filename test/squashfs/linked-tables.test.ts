import { expect, test } from 'vitest'
import { LinkedTables } from '../../src/squashfs/linked-tables.ts'
import { testCompressor } from '../fakes/squashfs-image-builder.ts'

const blockBytes = 8192
const compression = { kind: 'none', level: 1 } as const
const noReferences = new Uint32Array()

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
    const store = (table: 'inodes' | 'directories', sizeBytes: number, ...references: number[]) =>
      linked.store(table, Buffer.alloc(sizeBytes, 0xee), Uint32Array.from(references))
    store('directories', blockBytes)
    store('directories', blockBytes)
    store('directories', 7)
    const place = blockBytes - bytesBefore
    if (bytesBefore > 0) {
      store('inodes', blockBytes, place, 2)
      store('inodes', 20)
    } else {
      store('inodes', blockBytes)
      store('inodes', 20, 0, 2)
    }
    const stored = linked.finish(65_536 + 3)
    const bytes = contentOf(stored.inodeTable)
    // two blocks lie before it, each with two bytes of length
    expect(bytes.readUInt32LE(place)).toBe(2 * (blockBytes + 2))
    expect(bytes.subarray(0, place).every((byte) => byte === 0xee)).toBe(true)
    expect(bytes.subarray(place + 4).every((byte) => byte === 0xee)).toBe(true)
    expect(stored.rootReference).toBe((blockBytes + 2) * 65_536 + 3)
  },
)

test('what refers to a block that is not full yet is told where it will begin', () => {
  const linked = new LinkedTables(testCompressor(compression))
  linked.store('inodes', Buffer.alloc(blockBytes), noReferences)
  linked.store('directories', Buffer.alloc(4), Uint32Array.of(0, 1))
  linked.store('inodes', Buffer.alloc(1), noReferences)
  const { directoryTable } = linked.finish(0)
  expect(contentOf(directoryTable).readUInt32LE(0)).toBe(blockBytes + 2)
})
