import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { EncoderPool } from '../../src/image/encoder-pool.ts'
import { packInThread } from '../../src/image/pack-in-thread.ts'
import { parseDigest } from '../../src/registry/digest.ts'
import { blockSize, inPieces, pack, withScratch } from './packed-layers.ts'
import { endBlocks, file } from './tar/archive.ts'

const compression = { kind: 'gzip', level: 5 } as const
const parameters = { compression, blockSize }
const words = Array.from({ length: 900_000 }, (_, i) => `${(i * 7919) % 3001} `).join('')
const archive = Buffer.concat([
  file({ name: 'large' }, words),
  file({ name: 'small' }, 'some text'),
  endBlocks,
])

test.each([
  ['gzip', gzipSync(archive)],
  ['plain', archive],
])('a %s layer is packed to the same bytes in a thread as without', (_, blob) =>
  withScratch(async (directory) => {
    const here = await pack(blob, join(directory, 'a'))
    for (const pieceBytes of [3, 70_000, 5_000_000]) {
      const pieces = pieceBytes < 100 ? uneven(blob) : inPieces(blob, pieceBytes)
      const path = join(directory, 'b')
      await packInThread(pieces, { path, parameters })
      expect(readFileSync(path).equals(readFileSync(here.path))).toBe(true)
    }
  }),
)

test.each([1, 3])('with %i threads that encode blocks the bytes are the same', (count) =>
  withScratch(async (directory) => {
    const noisy = Buffer.concat([
      file({ name: 'noise' }, randomBytes(3_000_000).toString('latin1')),
      ...Array.from({ length: 2000 }, (_, i) => file({ name: `${i}` }, words.slice(i, 3 * i + 9))),
      archive,
    ])
    const blob = gzipSync(noisy)
    const here = await pack(blob, join(directory, 'a'))
    const encoders = new EncoderPool(parameters, count)
    try {
      const paths = ['b', 'c'].map((name) => join(directory, name))
      await Promise.all(
        paths.map((path) => packInThread(inPieces(blob), { path, parameters, encoders })),
      )
      for (const path of paths) {
        expect(readFileSync(path).equals(readFileSync(here.path))).toBe(true)
      }
    } finally {
      await encoders.close()
    }
  }),
)

/** Tiny pieces first, so that the ring is cut anywhere. */
async function* uneven(blob: Buffer): AsyncGenerator<Uint8Array> {
  for (let i = 0; i < 1000; i += 1) yield blob.subarray(i, i + 1)
  yield* inPieces(blob.subarray(1000), 333_333)
}

test('what a layer fails with in a thread comes whole: code, message and hint', () =>
  withScratch(async (directory) => {
    const path = join(directory, 'l')
    const cut = gzipSync(archive).subarray(0, 20_000)
    const here = await pack(cut, path).catch((error: unknown) => error)
    const there = await packInThread(inPieces(cut), { path, parameters }).catch(
      (error: unknown) => error,
    )
    expect(there).toMatchObject({ code: 'LAYER_INVALID' })
    const { code, message, hint } = here as { code: string; message: string; hint: string }
    expect(there).toMatchObject({ code, message, hint })

    const diffId = parseDigest(`sha256:${'0'.repeat(64)}`)
    await expect(
      packInThread(inPieces(archive), { path, parameters, diffId }),
    ).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' })
    await expect(
      packInThread(inPieces(archive), { path: join(directory, 'no', 'l'), parameters }),
    ).rejects.toMatchObject({ code: 'ENOENT', syscall: 'open' })
  }))

test('what the source fails with passes as it is', () =>
  withScratch(async (directory) => {
    const failure = new Error('connection lost')
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield archive.subarray(0, 70_000)
      throw failure
    }
    await expect(packInThread(failing(), { path: join(directory, 'l'), parameters })).rejects.toBe(
      failure,
    )
  }))

test('a cancelled thread ends while it waits for bytes, and while it works on them', () =>
  withScratch(async (directory) => {
    const path = join(directory, 'l')
    async function* silent(): AsyncGenerator<Uint8Array> {
      yield archive.subarray(0, 70_000)
      await new Promise(() => undefined)
    }
    for (const source of [silent(), inPieces(gzipSync(archive))]) {
      const abort = new AbortController()
      const packing = packInThread(source, { path, parameters, signal: abort.signal })
      setImmediate(() => abort.abort())
      await expect(packing).rejects.toMatchObject({ code: 'CANCELLED' })
    }
  }))
