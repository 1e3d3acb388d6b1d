import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isSregistryError } from '../../src/errors/sregistry-error.ts'
import {
  decodeSifHeader,
  decodeSifObjects,
  primaryPartition,
  readSif,
  type SifObject,
} from '../../src/sif/sif-reader.ts'
import { deffile, inspectJson, ociJson, sampleSif } from './sample-sif.ts'
import { scratchFile } from './scratch-file.ts'

const squashfs = Buffer.alloc(12_288, 'hsqs')

test('what was written is found again', async () => {
  const file = await readSif(scratchFile(sampleSif(squashfs, 'arm64')))
  expect(file.header).toEqual({
    architecture: 'arm64',
    descriptorsTotal: 48,
    descriptorsOffset: 4096,
  })
  expect(file.objects.map(({ dataType, name, sizeBytes }) => [dataType, name, sizeBytes])).toEqual([
    [0x4001, '', deffile.length],
    [0x4006, 'inspect-metadata.json', inspectJson.length],
    [0x4006, 'oci-config.json', ociJson.length],
    [0x4004, '', squashfs.length],
  ])
  expect(file.primary).toMatchObject({
    ...{ id: 4, offset: 32768, sizeBytes: squashfs.length },
    partition: { fileSystem: 1, partitionType: 2, architecture: 'arm64' },
  })
})

test.each<[string, (sif: Buffer) => Buffer, string]>([
  ['too short', (sif) => sif.subarray(0, 127), 'the file is too short to be a SIF'],
  ['another magic', (sif) => put(sif, 32, 'SIF_MAGIX'), 'the file is no SIF'],
  [
    'another version',
    (sif) => put(sif, 42, '02'),
    'the file has the unknown SIF version "02\\u0000"',
  ],
  ['a negative count', (sif) => put64(sif, 88, -1n), 'the file has an impossible size or position'],
  [
    'a huge count',
    (sif) => put64(sif, 88, 65_537n),
    'the file has an impossible number of objects',
  ],
  [
    'a huge offset',
    (sif) => put64(sif, 96, 1n << 53n),
    'the file has an impossible size or position',
  ],
  ['its table cut', (sif) => sif.subarray(0, 32_175), 'the file ends inside its table of objects'],
  [
    'its squashfs cut',
    (sif) => sif.subarray(0, sif.length - 1),
    'the file ends inside its object 4',
  ],
  [
    'a negative offset',
    (sif) => put64(sif, 4096 + 17, -5n),
    'the file has an impossible size or position',
  ],
  [
    'its partition unused',
    (sif) => put(sif, 4096 + 3 * 585 + 4, '\0'),
    'the file has no root file system',
  ],
  [
    'an ext3 root',
    (sif) => put(sif, partitionAt + 201, '\u0002'),
    'the file has a root file system that is no plain squashfs',
  ],
  ['two roots', withSecondRoot, 'the file has more than one root file system'],
])('a file with %s is refused', async (_, damage, message) => {
  const path = scratchFile(damage(sampleSif(squashfs)))
  await expect(readSif(path)).rejects.toMatchObject({ code: 'IMAGE_INVALID', message })
})

const partitionAt = 4096 + 3 * 585

function withSecondRoot(sif: Buffer): Buffer {
  sif.copy(sif, partitionAt + 585, partitionAt, partitionAt + 585)
  return sif
}

function put(sif: Buffer, offset: number, text: string): Buffer {
  sif.write(text, offset, 'latin1')
  return sif
}

function put64(sif: Buffer, offset: number, value: bigint): Buffer {
  sif.writeBigInt64LE(value, offset)
  return sif
}

describe('hostile files', () => {
  const original = sampleSif(squashfs)
  const meaningful = fc.oneof(
    fc.nat({ max: 127 }),
    fc.nat({ max: 4 * 585 }).map((offset) => 4096 + offset),
  )
  const change = fc.tuple(
    meaningful,
    fc.oneof(fc.constantFrom(0, 1, 0x7f, 0x80, 0xff), fc.nat({ max: 255 })),
  )

  test('whatever bytes are changed, the reader answers or refuses, and never points outside', () => {
    let refused = 0
    const mutated = fc.tuple(
      fc.array(change, { maxLength: 12 }),
      fc.integer({ min: 0, max: original.length }),
    )
    fc.assert(
      fc.property(mutated, ([changes, cut]) => {
        const bytes = Buffer.from(original)
        for (const [offset, value] of changes) bytes[offset] = value
        const file = cut % 3 === 0 ? bytes.subarray(0, cut) : bytes
        const primary = answerOf(file)
        if (primary === undefined) refused += 1
        else expect(primary.offset + primary.sizeBytes).toBeLessThanOrEqual(file.length)
      }),
      { numRuns: 3000 },
    )
    expect(refused).toBeGreaterThan(100)
    expect(refused).toBeLessThan(3000)
  })

  function answerOf(bytes: Buffer): SifObject | undefined {
    try {
      const { descriptorsOffset, descriptorsTotal } = decodeSifHeader(
        bytes.subarray(0, 128),
        bytes.length,
      )
      const table = bytes.subarray(descriptorsOffset, descriptorsOffset + descriptorsTotal * 585)
      return primaryPartition(decodeSifObjects(table, bytes.length))
    } catch (error) {
      expect(isSregistryError(error) ? error.code : error).toBe('IMAGE_INVALID')
      return undefined
    }
  }
})
