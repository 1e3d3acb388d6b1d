import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeEntries } from '../../src/image/entry-decoder.ts'
import { IndexDecoder } from '../../src/image/index-decoder.ts'
import { IndexEncoder } from '../../src/image/index-encoder.ts'
import type { PackedEntry } from '../../src/image/packed-layer.ts'
import { entryKinds } from '../../src/image/packed-layer-format.ts'
import { EntryEncoder } from '../../src/image/packed-layer-writer.ts'
import { listEntries } from './indexed-contents.ts'

const bounds = { dataEnd: 2 ** 40, blockSize: 4096 }
const fragments = [{ position: 16, sizeWord: 100, sizeBytes: 4096 }]

function decode(index: Buffer) {
  const decoder = new IndexDecoder(index)
  const entries = decodeEntries(decoder, fragments, bounds)
  decoder.finish()
  return listEntries(entries)
}

const latin1 = fc
  .uint8Array({ maxLength: 20 })
  .map((bytes) => Buffer.from(bytes).toString('latin1'))
const u32 = fc.oneof(fc.nat(300), fc.integer({ min: 0, max: 0xffff_ffff }))

const xattrs = fc.option(
  fc
    .array(fc.tuple(latin1, fc.uint8Array({ maxLength: 9 })), { minLength: 1, maxLength: 3 })
    .map((pairs) => new Map(pairs.map(([name, value]) => [name, Uint8Array.from(value)]))),
  { nil: undefined },
)

const tail = fc.record({
  sizeBytes: fc.nat(2048),
  identity: latin1,
  position: fc.constant(0),
  blocks: fc.constant(new Uint32Array()),
  fragment: fc.record({ index: fc.constant(0), offset: fc.nat(2048) }),
})

/** With holes among its blocks, and blocks that are stored as they are. */
const stored = fc
  .array(fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 4096 }), fc.constant(0x100_1000)), {
    minLength: 1,
    maxLength: 5,
  })
  .chain((words) =>
    fc.record({
      sizeBytes: fc.integer({ min: 4096 * (words.length - 1) + 1, max: 4096 * words.length }),
      identity: latin1,
      position: fc.integer({ min: 16, max: 2 ** 39 }),
      blocks: fc.constant(Uint32Array.from(words)),
      fragment: fc.constant(undefined),
    }),
  )

const details: fc.Arbitrary<object> = fc.oneof(
  fc.record({ kind: fc.constantFrom('directory', 'fifo') }),
  fc.record({ kind: fc.constant('file'), content: fc.oneof(tail, stored) }),
  fc.record({ kind: fc.constantFrom('symlink', 'hardlink'), target: latin1 }),
  fc.record({ kind: fc.constantFrom('char-device', 'block-device'), major: u32, minor: u32 }),
)

const metadata = fc.record({
  path: latin1,
  mode: fc.nat(0xffff),
  uid: u32,
  gid: u32,
  mtime: u32,
  xattrs,
})

const entry = fc.tuple(metadata, details).map((parts) => Object.assign({}, ...parts) as PackedEntry)

test('entries come out as they were encoded, one index after the other', () => {
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 30 }), (entries) => {
      const encoder = new EntryEncoder()
      for (const one of entries) encoder.add(one)
      const count = new IndexEncoder()
      count.number(entries.length)
      expect(decode(Buffer.concat([count.finish(), encoder.finish()]))).toEqual(entries)
    }),
  )
})

describe('an index is refused', () => {
  /** One entry of a kind; what follows its metadata is put there. */
  function refusal(kind: string, write: (encoder: IndexEncoder) => void): string {
    const encoder = new IndexEncoder()
    encoder.number(1)
    encoder.number(entryKinds.indexOf(kind as PackedEntry['kind']))
    encoder.latin1('name')
    for (const number of [0o644, 0, 0, 0, 0]) encoder.number(number)
    write(encoder)
    try {
      decode(encoder.finish())
    } catch (error) {
      expect(error).toMatchObject({ code: 'IMAGE_INVALID' })
      return (error as Error).message.replace('the packed layer is damaged: ', '')
    }
    return 'not refused'
  }

  /** Size, identity, position, and what comes then. */
  const content = (...numbers: number[]) => {
    const [sizeBytes = 0, position = 0, ...rest] = numbers
    return (encoder: IndexEncoder) => {
      encoder.number(sizeBytes)
      encoder.latin1('identity')
      for (const number of [position, ...rest]) encoder.number(number)
    }
  }

  test.each<[string, string, (encoder: IndexEncoder) => void]>([
    ['the index is cut', 'char-device', () => undefined],
    ['a number is too large', 'char-device', (encoder) => encoder.number(2 ** 32)],
    ['a number is too large', 'file', (encoder) => encoder.bytes(Buffer.alloc(9, 0xff))],
    ['a count is too large', 'symlink', (encoder) => encoder.number(2)],
    ['a file lies outside its fragment', 'file', content(100, 0, 1, 4000)],
    ['a file lies outside its fragment', 'file', content(100, 0, 2, 0)],
    ['a file lies outside its fragment', 'file', content(2 ** 52, 0, 1, 2 ** 52)],
    ['a file has lost blocks', 'file', content(4097, 16, 0, 1, 5, 0)],
    ['the size of a block is wrong', 'file', content(100, 16, 0, 1, 4097)],
    ['the size of a block is wrong', 'file', content(100, 16, 0, 1, 0x100_0000)],
    ['the size of a block is wrong', 'file', content(100, 16, 0, 1, 0x200_0001)],
    ['a block lies outside the file', 'file', content(100, 15, 0, 1, 5)],
    ['a block lies outside the file', 'file', content(100, 2 ** 40 - 4, 0, 1, 5)],
  ])('%s (%s)', (message, kind, write) => {
    expect(refusal(kind, write)).toBe(message)
  })

  test('a number stands for nothing', () => {
    const encoder = new IndexEncoder()
    for (const number of [1, entryKinds.length, 0, 0, 0, 0, 0, 0]) encoder.number(number)
    expect(() => decode(encoder.finish())).toThrow('a number stands for nothing')
  })
})
