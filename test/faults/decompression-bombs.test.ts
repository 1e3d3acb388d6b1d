/** Small blobs that unpack to gigabytes: refused while they stream, in little memory, and nothing is left. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { resolve } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { digestText, imageOfBlobs, type LayerBlob } from '../fakes/oci-image.ts'
import { type Home, PullWorld } from '../fakes/pull-world.ts'
import { file, tarLayer } from '../fakes/tar-layer.ts'
import { expectNothingLeft } from './failing-pulls.ts'

const mebibyte = 2 ** 20
const headerBytes = 512

let world: PullWorld
beforeAll(async () => {
  world = await PullWorld.start()
})
afterAll(() => world[Symbol.asyncDispose]())

/** The header of a file of 200 GiB, less than what a layer may have. */
function hugeHeader(): Buffer {
  const header = Buffer.from(tarLayer([file('zeros', 'x')]).subarray(0, headerBytes))
  // size in base 256, then the checksum anew (POSIX ustar, GNU extension)
  header.fill(0, 124, 136)
  header[124] = 0x80
  header.writeBigUInt64BE(200n * 2n ** 30n, 128)
  header.write('        ', 148, 'latin1')
  const sum = header.reduce((total, byte) => total + byte, 0)
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
  return header
}

/** 1.5 GiB of zeros in 1.6 MB: as dense as deflate can be. */
function gzipBomb(): Buffer {
  const zeros = gzipSync(Buffer.alloc(64 * mebibyte), { level: 9 })
  return Buffer.concat([gzipSync(hugeHeader()), ...Array<Buffer>(24).fill(zeros)])
}

/** 8 GiB of zeros in 256 KiB: blocks of one repeated byte (RFC 8878 § 3.1.1.2). */
function zstdBomb(): Buffer {
  const frameHeader = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x38])
  const rawBlock = Buffer.concat([blockHeader(0, headerBytes), hugeHeader()])
  const zeros = Buffer.concat([blockHeader(1, 128 * 1024), Buffer.of(0)])
  return Buffer.concat([frameHeader, rawBlock, ...Array<Buffer>(65_536).fill(zeros)])
}

function blockHeader(type: 0 | 1, sizeBytes: number): Buffer {
  const header = Buffer.alloc(3)
  header.writeUIntLE((sizeBytes << 3) | (type << 1), 0, 3)
  return header
}

function layerOf(bytes: Buffer, form: 'gzip' | 'zstd'): LayerBlob {
  const mediaType = `application/vnd.oci.image.layer.v1.tar+${form}`
  return { bytes, mediaType, diffId: digestText(Buffer.from('nobody gets that far')) }
}

test.each([
  [
    'gzip',
    gzipBomb,
    2 * mebibyte,
    /error LAYER_INVALID: layer 1\/1 .*: the layer is damaged: .*\n/,
  ],
  [
    'zstd',
    zstdBomb,
    mebibyte / 2,
    /error LIMIT_EXCEEDED: layer 1\/1 .*: the layer unpacks to more than 5000 bytes for each of the blob \(maxRatio\)\n/,
  ],
] as const)('a %s bomb', async (form, bomb, largestBytes, message) => {
  const bytes = bomb()
  expect(bytes.length).toBeLessThan(largestBytes)
  const home = world.home()
  await world.push(`bomb/${form}`, imageOfBlobs([layerOf(bytes, form)]))
  const { code, stderr, peakMiB } = await pull(home, `bomb/${form}`)
  expect(stderr).toMatch(message)
  expect(code).toBe(1)
  expect(peakMiB).toBeLessThan(300)
  expect(home.layers()).toEqual([])
  await expectNothingLeft(home, world)
})

/** A pull in a process of its own, which says at its end how much memory it had at most. */
async function pull(home: Home, reference: string) {
  const program = resolve(import.meta.dirname, '../../bin/sregistry.js')
  const tell = "process.on('exit', () => console.error('peak', process.resourceUsage().maxRSS))"
  const flags = ['--import', `data:text/javascript,${encodeURIComponent(tell)}`]
  const child = spawn(process.execPath, [...flags, program, 'pull', reference], { env: home.env })
  let stderr = ''
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString()
  })
  child.stdout.resume()
  const [code] = await once(child, 'close')
  const [, peakKiB = 'nothing told'] = /^peak (\d+)$/m.exec(stderr) ?? []
  return { code, stderr, peakMiB: Number(peakKiB) / 1024 }
}
