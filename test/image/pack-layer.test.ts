import { createHash, randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { constants, gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { PackedLayer } from '../../src/image/packed-layer.ts'
import { readPackedLayer } from '../../src/image/packed-layer-reader.ts'
import { PackingSlots } from '../../src/image/packing-slots.ts'
import { createBlockCompressor } from '../../src/squashfs/block-compressor.ts'
import { listEntries } from './indexed-contents.ts'
import { blockSize, contentOf, inPieces, pack, withScratch } from './packed-layers.ts'
import { endBlocks, file, header, pax } from './tar/archive.ts'

const text = (length: number) => 'some text that repeats '.repeat(length).slice(0, length)
const noise = randomBytes(3 * blockSize).toString('latin1')

const contents: Readonly<Record<string, string>> = {
  empty: '',
  small: text(100),
  'small again': text(100),
  'almost a block': text(blockSize - 1),
  'a block': text(blockSize),
  'a block and a byte': text(blockSize + 1),
  'two blocks': text(2 * blockSize),
  'small zeros': '\0'.repeat(99),
  zeros: '\0'.repeat(2 * blockSize + 5),
  'a hole within': `${text(blockSize)}${'\0'.repeat(blockSize)}${text(7)}`,
  'a hole at the end': `${text(blockSize)}${'\0'.repeat(blockSize + 7)}`,
  noise,
  'small noise': noise.slice(0, blockSize - 7),
  ...Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`many ${i}`, `${i}${text(1000)}`])),
}

const archive = Buffer.concat([
  header({ name: 'd/', type: '5' }),
  ...Object.entries(contents).map(([name, body]) => file({ name }, body)),
  pax({ 'SCHILY.xattr.user.a': '\xff\0' }),
  file({ name: 'with xattr' }, 'x'),
  header({ name: 'l', type: '2', link: 'target' }),
  header({ name: 'h', type: '1', link: 'small' }),
  header({ name: 'c', type: '3', major: '0000001', minor: '0000003' }),
  header({ name: 'p', type: '6' }),
  endBlocks,
])

test.each([1, 511, 512, 513, 65_536])(
  'files come back, packed from pieces of %i bytes',
  (pieceBytes) =>
    withScratch(async (directory) => {
      const layer = await pack(archive, join(directory, 'l'), { pieceBytes })
      for (const [name, body] of Object.entries(contents)) {
        expect(
          contentOf(
            layer,
            listEntries(layer.entries).find((entry) => entry.path === name),
          ),
        ).toBe(body)
      }
      expect(layer.diffId.hex).toBe(createHash('sha256').update(archive).digest('hex'))
      expect(layer.tarBytes).toBe(archive.length)
      expect(await readPackedLayer(layer.path)).toEqual(layer)
    }),
)

test.each([1, 513, 65_536])(
  'files of a gzip layer come back, recoded from pieces of %i bytes',
  (pieceBytes) =>
    withScratch(async (directory) => {
      const layer = await pack(gzipSync(archive), join(directory, 'l'), { pieceBytes })
      for (const [name, body] of Object.entries(contents)) {
        const entry = listEntries(layer.entries).find(({ path }) => path === name)
        expect(contentOf(layer, entry)).toBe(body)
      }
      expect(layer.diffId.hex).toBe(createHash('sha256').update(archive).digest('hex'))
      expect(await readPackedLayer(layer.path)).toEqual(layer)
      // contents are told apart, and equal ones found, however they were compressed
      const plain = await pack(archive, join(directory, 'p'), { pieceBytes })
      expect(identitiesOf(layer)).toEqual(identitiesOf(plain))
    }),
)

function identitiesOf({ entries }: PackedLayer): readonly string[] {
  return listEntries(entries).flatMap((entry) =>
    entry.kind === 'file' ? [entry.content.identity] : [],
  )
}

test.each([
  ['not compressed at all', { level: 0 }],
  ['in haste', { level: 1 }],
  ['by Huffman codes alone', { strategy: constants.Z_HUFFMAN_ONLY }],
])('a layer whose stream was compressed %s is compressed anew', (_, options) =>
  withScratch(async (directory) => {
    const words = Array.from({ length: 400_000 }, (__, i) => `${(i * 7919) % 3001} word `).join('')
    const tar = Buffer.concat([file({ name: 'f' }, words), endBlocks])
    const [poor, good] = [gzipSync(tar, options), gzipSync(tar, { level: 6 })]
    const packed = await pack(poor, join(directory, 'l'))
    const anew = await pack(tar, join(directory, 'p'))
    const sizeOf = ({ path }: PackedLayer) => readFileSync(path).length
    expect(poor.length).toBeGreaterThan(1.1 * good.length)
    expect(sizeOf(packed)).toBeLessThan(1.03 * sizeOf(anew))
    expect(contentOf(packed, listEntries(packed.entries)[0])).toBe(words)
  }),
)

test('a gzip layer is recoded to the same bytes each time, in pieces of any size', () =>
  withScratch(async (directory) => {
    const first = await pack(gzipSync(archive), join(directory, 'a'))
    for (const pieceBytes of [700, 100_000]) {
      const again = await pack(gzipSync(archive), join(directory, 'b'), { pieceBytes })
      expect(readFileSync(again.path).equals(readFileSync(first.path))).toBe(true)
    }
  }))

test('other entries, xattrs and holes are kept as they are', () =>
  withScratch(async (directory) => {
    const { entries } = await pack(archive, join(directory, 'l'))
    const find = (path: string) => listEntries(entries).find((entry) => entry.path === path)
    expect(find('with xattr')?.xattrs).toEqual(new Map([['user.a', new Uint8Array([255, 0])]]))
    expect(find('l')).toMatchObject({ kind: 'symlink', target: 'target' })
    expect(find('h')).toMatchObject({ kind: 'hardlink', target: 'small' })
    expect(find('c')).toMatchObject({ kind: 'char-device', major: 1, minor: 3 })
    expect(find('zeros')).toMatchObject({ content: { position: 0, blocks: new Uint32Array(3) } })
    expect(find('small zeros')).toMatchObject({ content: { blocks: new Uint32Array(1) } })
    const place = (path: string) => {
      const entry = find(path)
      if (entry?.kind !== 'file') throw new Error(`${path} is no file`)
      const { sizeBytes, identity, position, fragment } = entry.content
      return { sizeBytes, identity, position, fragment }
    }
    expect(place('small again')).toEqual(place('small'))
  }))

test('bytes are the same whatever the slots, and in whatever order blocks are finished', () =>
  withScratch(async (directory) => {
    const real = createBlockCompressor({ kind: 'gzip', level: 5 })
    // finishes the blocks of each moment last to first
    const held: (() => void)[] = []
    const backwards = {
      ...real,
      library: real.library,
      compression: real.compression,
      decompressSync: real.decompressSync,
      compressSync: real.compressSync,
      compress: (block: Uint8Array) =>
        new Promise<Uint8Array>((resolve) => {
          held.push(() => resolve(real.compressSync(block)))
          setImmediate(() => held.pop()?.())
        }),
    }
    const first = await pack(archive, join(directory, 'a'))
    for (const options of [
      { slots: new PackingSlots(1) },
      { slots: new PackingSlots(64) },
      { slots: new PackingSlots(64), compressor: backwards },
    ]) {
      const other = await pack(archive, join(directory, 'b'), options)
      expect(readFileSync(other.path).equals(readFileSync(first.path))).toBe(true)
    }
  }))

test('several layers share one slot without waiting for each other for ever', () =>
  withScratch(async (directory) => {
    const slots = new PackingSlots(1)
    const names = ['a', 'b', 'c', 'd']
    const layers = await Promise.all(
      names.map((name) => pack(archive, join(directory, name), { slots })),
    )
    expect(new Set(layers.map((layer) => readFileSync(layer.path).toString('latin1'))).size).toBe(1)
  }))

test('identity is equal exactly when the content is', () =>
  withScratch(async (directory) => {
    const bodies = fc.array(fc.tuple(fc.constantFrom('a', '\0', 'ab'), fc.nat(3 * blockSize)), {
      minLength: 2,
      maxLength: 8,
    })
    await fc.assert(
      fc.asyncProperty(bodies, async (parts) => {
        const texts = parts.map(([unit, length]) => unit.repeat(length).slice(0, length))
        const tar = Buffer.concat(texts.map((body) => file({}, body)))
        const { entries } = await pack(tar, join(directory, 'l'))
        const identities = listEntries(entries).map((entry) =>
          entry.kind === 'file' ? entry.content.identity : '',
        )
        for (const [i, a] of texts.entries()) {
          for (const [j, b] of texts.entries())
            expect(identities[i] === identities[j]).toBe(a === b)
        }
      }),
      { numRuns: 30 },
    )
  }))

test('a wrong diff id, a limit, a failing source, a failing disk end the packing with their error', () =>
  withScratch(async (directory) => {
    const path = join(directory, 'l')
    const diffId = { algorithm: 'sha256', hex: '0'.repeat(64) } as const
    await expect(pack(archive, path, { diffId })).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' })
    for (const limit of ['maxEntries', 'maxIndexBytes', 'maxUnpackedBytes']) {
      await expect(pack(archive, path, { limits: { [limit]: 5 } })).rejects.toThrow(limit)
    }
    const limits = { ratioFreeBytes: 1000, maxRatio: { gzip: 10, zstd: 10 } }
    await expect(pack(gzipSync(Buffer.alloc(1_000_000)), path, { limits })).rejects.toThrow(
      'maxRatio',
    )
    const compressor = {
      ...createBlockCompressor({ kind: 'none', level: 0 }),
      compress: () => Promise.reject(new Error('no pool')),
    }
    await expect(pack(archive, path, { compressor: compressor as never })).rejects.toThrow(
      'no pool',
    )
    await expect(pack(archive, '/dev/full')).rejects.toMatchObject({ code: 'ENOSPC' })
  }))

test('cancelling ends the packing though its source never answers', () =>
  withScratch(async (directory) => {
    const { packLayer } = await import('../../src/image/pack-layer.ts')
    const abort = new AbortController()
    async function* silent(): AsyncGenerator<Uint8Array> {
      yield* inPieces(gzipSync(archive).subarray(0, 2000))
      setImmediate(() => abort.abort())
      await new Promise(() => undefined)
    }
    const compression = { kind: 'gzip', level: 5 } as const
    const packing = packLayer(silent(), {
      path: join(directory, 'l'),
      parameters: { compression, blockSize },
      compressor: createBlockCompressor(compression),
      slots: new PackingSlots(),
      signal: abort.signal,
    })
    await expect(packing).rejects.toMatchObject({ code: 'CANCELLED' })
  }))
