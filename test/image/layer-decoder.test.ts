import { execFileSync } from 'node:child_process'
import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { decodeLayer } from '../../src/image/layer-decoder.ts'
import { defaultLayerLimits, LayerMeter } from '../../src/image/layer-limits.ts'
import { hasTool } from '../fakes/tools.ts'
import { inPieces } from './packed-layers.ts'

async function decode(blob: Uint8Array, pieceBytes = 65_536): Promise<string> {
  const chunks: Buffer[] = []
  const meter = new LayerMeter(defaultLayerLimits)
  for await (const chunk of decodeLayer(inPieces(blob, pieceBytes), meter)) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

const a = 'first '.repeat(50_000)
const b = 'second '.repeat(30_000)
const junk = Buffer.from('junk')

describe.each([1, 511, 513, 65_536])('in pieces of %i bytes', (size) => {
  test('gzip: one member, several, zeros at the end', async () => {
    const members = Buffer.concat([gzipSync(a), gzipSync(b), Buffer.alloc(9)])
    expect(await decode(members, size)).toBe(a + b)
    expect(await decode(gzipSync(''), size)).toBe('')
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
    ['compressed twice', gzipSync(gzipSync(a))],
  ])('gzip %s is refused', async (_, blob) => {
    await expect(decode(blob, size)).rejects.toMatchObject({ code: 'LAYER_INVALID' })
  })
  test('what is not compressed passes', async () => {
    expect(await decode(Buffer.from(a), size)).toBe(a)
    expect(await decode(Buffer.alloc(0), size)).toBe('')
  })
})

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
    for await (const chunk of decodeLayer(failing(), new LayerMeter(defaultLayerLimits))) void chunk
  }
  await expect(reading()).rejects.toBe(failure)
})
