import { execFileSync } from 'node:child_process'
import { crc32, gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { Recoder } from '../../src/deflate/recoder.ts'
import { recoderModule } from '../../src/deflate/recoder-module.ts'
import { openLayer } from '../../src/image/layer-decoder.ts'
import { defaultLayerLimits, LayerMeter } from '../../src/image/layer-limits.ts'
import { hasTool } from '../fakes/tools.ts'
import { inPieces } from './packed-layers.ts'

async function decode(
  blob: Uint8Array,
  pieceBytes = 65_536,
  recoder: Recoder | undefined = undefined,
): Promise<string> {
  const chunks: Buffer[] = []
  const meter = new LayerMeter(defaultLayerLimits)
  const layer = await openLayer(inPieces(blob, pieceBytes), meter)
  // a recoder's chunks are good until the next only
  for await (const chunk of layer.decode(recoder)) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks).toString()
}

const decoders = [
  ['by zlib', () => undefined],
  ['by the recoder', () => new Recoder(recoderModule(), 4096, { tries: 8, doubtfulLength: 32 })],
] as const

const a = 'first '.repeat(50_000)
const b = 'second '.repeat(30_000)
const junk = Buffer.from('junk')

const gzipSizes = [1, 511, 513, 65_536].flatMap((size) =>
  decoders.map(([name, make]) => ({ size, name, make })),
)

describe.each(gzipSizes)('$name, in pieces of $size bytes', ({ size, make }) => {
  test('gzip: one member, several, zeros at the end', async () => {
    const members = Buffer.concat([gzipSync(a), gzipSync(b), Buffer.alloc(9)])
    expect(await decode(members, size, make())).toBe(a + b)
    expect(await decode(gzipSync(''), size, make())).toBe('')
  })
  test('gzip: a header with extra field, name, comment and checksum', async () => {
    const [header, stream] = [gzipSync(a).subarray(0, 10), gzipSync(a).subarray(10)]
    header[3] = 4 | 8 | 16 | 2
    const fields = Buffer.concat([
      Buffer.from([3, 0, 1, 2, 3]),
      Buffer.from('name\0comment\0'),
      crcOf(Buffer.concat([header, Buffer.from([3, 0, 1, 2, 3]), Buffer.from('name\0comment\0')])),
    ])
    expect(await decode(Buffer.concat([header, fields, stream]), size, make())).toBe(a)
  })
  test.each([
    ['cut', gzipSync(a).subarray(0, -9)],
    ['cut to its magic', gzipSync(a).subarray(0, 5)],
    ['followed by junk', Buffer.concat([gzipSync(a), junk])],
    [
      'followed by zeros and a member',
      Buffer.concat([gzipSync(a), Buffer.alloc(2000), gzipSync(b)]),
    ],
    ['of a wrong checksum', wrongChecksum()],
    ['of a wrong length', wrongLength()],
    ['cut within its trailer', gzipSync(a).subarray(0, -3)],
    ['of another method', Buffer.concat([Buffer.from([0x1f, 0x8b, 7]), gzipSync(a).subarray(3)])],
    ['compressed twice', gzipSync(gzipSync(a))],
  ])('gzip %s is refused', async (_, blob) => {
    await expect(decode(blob, size, make())).rejects.toMatchObject({ code: 'LAYER_INVALID' })
  })
  test('what is not compressed passes', async () => {
    expect(await decode(Buffer.from(a), size)).toBe(a)
    expect(await decode(Buffer.alloc(0), size)).toBe('')
  })
})

function wrongLength(): Buffer {
  const blob = gzipSync(a)
  blob[blob.length - 2] = (blob[blob.length - 2] ?? 0) ^ 1
  return blob
}

/** The low half of the CRC of a header (RFC 1952 § 2.3.1). */
function crcOf(header: Buffer): Buffer {
  const checksum = Buffer.alloc(2)
  checksum.writeUInt16LE(crc32(header) & 0xffff)
  return checksum
}

function wrongChecksum(): Buffer {
  const blob = gzipSync(a)
  blob[blob.length - 6] = (blob[blob.length - 6] ?? 0) ^ 1
  return blob
}

describe.skipIf(!hasTool('zstd')).each([7, 513, 65_536])('zstd in pieces of %i bytes', (size) => {
  const zstd = (text: string, ...args: string[]) =>
    execFileSync('zstd', ['-qc', ...args], { input: text })
  const skippable = Buffer.from('50 2a 4d 18 03 00 00 00 61 62 63'.replaceAll(' ', ''), 'hex')

  test('one frame, several, skippable ones before, between and after', async () => {
    const frames = [
      skippable,
      zstd(a),
      skippable,
      zstd(b, '--no-check', '-19'),
      zstd(''),
      skippable,
    ]
    expect(await decode(Buffer.concat(frames), size)).toBe(a + b)
    expect(await decode(Buffer.concat([skippable]), size)).toBe('')
  })
  test.each([
    ['cut', () => zstd(a).subarray(0, -5)],
    ['cut within a later frame', () => Buffer.concat([zstd(a), zstd(b).subarray(0, 7)])],
    ['followed by junk', () => Buffer.concat([zstd(a), junk])],
    ['compressed twice', () => execFileSync('zstd', ['-qc'], { input: zstd(a) })],
  ])('%s is refused', async (_, blob) => {
    await expect(decode(blob(), size)).rejects.toMatchObject({ code: 'LAYER_INVALID' })
  })
})

test('a zstd window of more than 128 MiB is refused', async () => {
  const frame = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, (28 - 10) << 3, 1, 0, 0])
  await expect(decode(frame)).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' })
})

test('the error of a source passes as it is', async () => {
  const failure = new Error('connection lost')
  async function* failing(): AsyncGenerator<Uint8Array> {
    yield gzipSync(a).subarray(0, 100)
    throw failure
  }
  const reading = async () => {
    const layer = await openLayer(failing(), new LayerMeter(defaultLayerLimits))
    for await (const chunk of layer.decode()) void chunk
  }
  await expect(reading()).rejects.toBe(failure)
})
