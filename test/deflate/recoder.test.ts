import { once } from 'node:events'
import * as zlib from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type BuilderNumber, Recoder } from '../../src/deflate/recoder.ts'
import { recoderModule } from '../../src/deflate/recoder-module.ts'

const blockSize = 4096
const efforts = [
  { tries: 8, doubtfulLength: 0 },
  { tries: 16, doubtfulLength: 32 },
]

/** A raw deflate stream of text, with whatever zlib can do to it. */
const deflateOptions = fc.record({
  level: fc.integer({ min: 0, max: 9 }),
  memLevel: fc.integer({ min: 1, max: 9 }),
  windowBits: fc.integer({ min: 9, max: 15 }),
  strategy: fc.constantFrom(
    zlib.constants.Z_DEFAULT_STRATEGY,
    zlib.constants.Z_FILTERED,
    zlib.constants.Z_HUFFMAN_ONLY,
    zlib.constants.Z_RLE,
    zlib.constants.Z_FIXED,
  ),
})

/** Bytes with matches of many lengths and distances, near and far, and bytes with none. */
const bytes = fc
  .array(
    fc.oneof(
      fc.uint8Array({ maxLength: 40 }).map((array) => Buffer.from(array)),
      fc
        .tuple(fc.uint8Array({ minLength: 1, maxLength: 12 }), fc.integer({ min: 1, max: 900 }))
        .map(([unit, times]) => Buffer.alloc(unit.length * times, Buffer.from(unit))),
      fc.integer().map((seed) => noise(seed, 3000)),
      fc.constant(Buffer.alloc(5000)),
    ),
    { maxLength: 40 },
  )
  .map((parts) => Buffer.concat([...parts, ...parts.reverse()]))

function noise(seed: number, length: number): Buffer {
  let state = seed | 1
  return Buffer.from(
    Uint8Array.from({ length }, () => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) | 0
      return state >>> 24
    }),
  )
}

/** Feeds a stream in pieces and hands on each chunk of output. */
function inflateAll(recoder: Recoder, stream: Uint8Array, pieceBytes: number): Buffer {
  const chunks: Buffer[] = []
  decode(recoder, stream, pieceBytes, (chunk) => chunks.push(Buffer.from(chunk)))
  return Buffer.concat(chunks)
}

function decode(
  recoder: Recoder,
  stream: Uint8Array,
  pieceBytes: number,
  onChunk: (chunk: Buffer) => void,
): void {
  recoder.beginStream()
  for (let at = 0; ; ) {
    at += recoder.feed(stream.subarray(at, at + pieceBytes))
    const isEnd = at === stream.length
    for (;;) {
      const status = recoder.inflate(isEnd)
      if (recoder.chunk.length > 0) onChunk(recoder.chunk)
      if (status === 'bad-stream') throw new Error('bad stream')
      if (status === 'stream-end') return
      if (status === 'needs-input') break
    }
  }
}

function newRecoder(effort = efforts[1]): Recoder {
  return new Recoder(recoderModule(), blockSize, effort ?? { tries: 8, doubtfulLength: 0 })
}

/** What a block was stored as, read by zlib. */
function storedBlock(recoder: Recoder, builder: BuilderNumber, part: 'whole' | 'marked'): Buffer {
  const plain = Buffer.from(recoder.built(builder, part))
  const stored = recoder.encode(builder, part)
  if (stored === undefined) return plain
  expect(stored.length).toBeLessThan(plain.length)
  return zlib.inflateSync(Buffer.from(stored))
}

test('every stream of zlib is decoded, in pieces of any size', () => {
  fc.assert(
    fc.property(
      bytes,
      deflateOptions,
      fc.integer({ min: 1, max: 70_000 }),
      (content, options, size) => {
        const stream = zlib.deflateRawSync(content, options)
        expect(inflateAll(newRecoder(), stream, size).equals(content)).toBe(true)
      },
    ),
    { numRuns: 200 },
  )
})

test('a stream with flushes, empty stored blocks and changing levels is decoded', async () => {
  const parts = [noise(1, 70_000), Buffer.alloc(300_000, 'abc'), noise(2, 10)]
  const deflater = zlib.createDeflateRaw({ level: 1 })
  const out: Buffer[] = []
  deflater.on('data', (chunk: Buffer) => out.push(chunk))
  for (const [i, part] of parts.entries()) {
    deflater.write(part)
    const kind = i === 0 ? zlib.constants.Z_SYNC_FLUSH : zlib.constants.Z_FULL_FLUSH
    await new Promise<void>((resolve) => deflater.flush(kind, () => resolve()))
    await new Promise<void>((resolve) => {
      deflater.params(i + 5, zlib.constants.Z_DEFAULT_STRATEGY, () => resolve())
    })
  }
  deflater.end()
  await once(deflater, 'end')
  const content = Buffer.concat(parts)
  expect(inflateAll(newRecoder(), Buffer.concat(out), 4000).equals(content)).toBe(true)
})

describe.each(efforts)('recoding with $tries tries, doubting below $doubtfulLength', (effort) => {
  test('blocks cut anywhere, with bytes left out between them, are what zlib reads back', () => {
    const cuts = fc.array(
      fc.tuple(fc.integer({ min: 0, max: 700 }), fc.integer({ min: 1, max: blockSize })),
      {
        minLength: 1,
        maxLength: 20,
      },
    )
    fc.assert(
      fc.property(bytes, deflateOptions, cuts, (content, options, plan) => {
        const recoder = newRecoder(effort)
        const expected: Buffer[] = []
        const got: Buffer[] = []
        let step = 0
        let block: Buffer[] = []
        let [gap, room] = plan[0] ?? [0, blockSize]
        decode(recoder, zlib.deflateRawSync(content, options), 65_536, (chunk) => {
          let rest = chunk
          while (rest.length > 0) {
            if (gap > 0) {
              const skipped = Math.min(gap, rest.length)
              gap -= skipped
              rest = rest.subarray(skipped)
              continue
            }
            const part = rest.subarray(0, room)
            recoder.append(0, part)
            block.push(Buffer.from(part))
            room -= part.length
            rest = rest.subarray(part.length)
            if (room > 0) continue
            expected.push(Buffer.concat(block))
            got.push(storedBlock(recoder, 0, 'whole'))
            recoder.drop(0, 'whole')
            block = []
            step += 1
            ;[gap, room] = plan[step % plan.length] ?? [0, blockSize]
          }
        })
        expect(Buffer.concat(got).equals(Buffer.concat(expected))).toBe(true)
      }),
      { numRuns: 150 },
    )
  })

  test('files that share blocks: kept, taken back, moved to the next block, with zeros between', () => {
    const sizes = fc.array(fc.tuple(fc.integer({ min: 1, max: blockSize - 1 }), fc.nat(3)), {
      minLength: 1,
      maxLength: 30,
    })
    fc.assert(
      fc.property(bytes, sizes, (content, plan) => {
        const recoder = newRecoder(effort)
        const files = new SharedBlocks(recoder, plan)
        decode(recoder, zlib.deflateRawSync(content), 1000, (chunk) => files.add(chunk))
        files.end()
        expect(Buffer.concat(files.got).equals(Buffer.concat(files.expected))).toBe(true)
      }),
      { numRuns: 150 },
    )
  })
})

/** Puts files of the planned sizes into blocks as the packer does. */
class SharedBlocks {
  readonly expected: Buffer[] = []
  readonly got: Buffer[] = []
  #step = 0
  #file: Buffer[] = []
  #rest: number
  #start = 0
  readonly #recoder: Recoder
  readonly #plan: readonly (readonly [number, number])[]

  constructor(recoder: Recoder, plan: readonly (readonly [number, number])[]) {
    this.#recoder = recoder
    this.#plan = plan
    this.#rest = plan[0]?.[0] ?? 1
    recoder.mark(1)
  }

  add(chunk: Buffer): void {
    for (let rest = chunk; rest.length > 0; ) {
      const part = rest.subarray(0, this.#rest)
      this.#recoder.append(1, part)
      this.#file.push(Buffer.from(part))
      this.#rest -= part.length
      rest = rest.subarray(part.length)
      if (this.#rest === 0) this.#endFile()
    }
  }

  end(): void {
    this.#recoder.truncate(1)
    if (this.#start > 0) this.got.push(storedBlock(this.#recoder, 1, 'whole'))
  }

  #endFile(): void {
    const [size, fate] = this.#plan[this.#step % this.#plan.length] ?? [1, 0]
    const zeros = fate === 1 ? Math.min(5, blockSize - 1 - size) : 0
    if (zeros > 0) this.#recoder.appendZeros(1, zeros)
    const file = Buffer.concat([...this.#file, Buffer.alloc(zeros)])
    if (fate === 0) this.#recoder.truncate(1)
    else {
      if (this.#start + file.length > blockSize) {
        this.got.push(storedBlock(this.#recoder, 1, 'marked'))
        this.#recoder.drop(1, 'marked')
        this.#start = 0
      }
      this.#start += file.length
      this.expected.push(file)
    }
    this.#step += 1
    this.#file = []
    this.#rest = this.#plan[this.#step % this.#plan.length]?.[0] ?? 1
    this.#recoder.mark(1)
  }
}

test('bytes that are no deflate stream are refused, or are what zlib makes of them', () => {
  fc.assert(
    fc.property(bytes, fc.nat(), fc.integer({ min: 1, max: 255 }), (content, where, change) => {
      const stream = zlib.deflateRawSync(content)
      stream[where % stream.length] = (stream[where % stream.length] ?? 0) ^ change
      const ours = outcome(() => inflateAll(newRecoder(), stream, 3000))
      const theirs = outcome(() => zlib.inflateRawSync(stream))
      expect(ours).toBe(theirs)
    }),
    { numRuns: 500 },
  )
})

test('a stream that is cut anywhere is refused', () => {
  const stream = zlib.deflateRawSync(Buffer.concat([noise(1, 3000), Buffer.alloc(9000, 'abcd')]))
  for (let end = 0; end < stream.length; end += 1) {
    expect(() => inflateAll(newRecoder(), stream.subarray(0, end), 65_536)).toThrow('bad stream')
  }
})

function outcome(work: () => Buffer): string {
  try {
    return work().toString('base64')
  } catch {
    return 'refused'
  }
}
