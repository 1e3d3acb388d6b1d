/**
 * The least that converting an image costs: gunzip every layer and deflate its bytes in blocks of
 * 128 KiB on the thread pool, with nothing hashed, parsed or written.
 * `node bench/.out/bare-work.js OCI-LAYOUT [LEVEL]`
 */
import { createReadStream, readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { createGunzip, deflate } from 'node:zlib'

const blockBytes = 131_072
const maxBlocks = 2 * availableParallelism() + 2

type Descriptor = { readonly digest: string }

async function convert(oci: string, level: number): Promise<void> {
  const pathOf = ({ digest }: Descriptor) => join(oci, 'blobs', ...digest.split(':'))
  const readJson = (path: string) => JSON.parse(readFileSync(path, 'utf8'))
  const [manifest] = readJson(join(oci, 'index.json')).manifests as Descriptor[]
  if (manifest === undefined) throw new Error(`${oci} holds no image`)
  const layers = readJson(pathOf(manifest)).layers as Descriptor[]
  const deflater = new Deflater(level)
  await Promise.all(layers.map((layer) => recompress(pathOf(layer), deflater)))
}

async function recompress(path: string, deflater: Deflater): Promise<void> {
  let block = Buffer.allocUnsafeSlow(blockBytes)
  let filled = 0
  for await (const chunk of createReadStream(path).pipe(createGunzip({ chunkSize: 262_144 }))) {
    for (let offset = 0; offset < chunk.length; ) {
      const copied = (chunk as Buffer).copy(block, filled, offset)
      filled += copied
      offset += copied
      if (filled === blockBytes) {
        await deflater.deflate(block)
        block = Buffer.allocUnsafeSlow(blockBytes)
        filled = 0
      }
    }
  }
  await deflater.deflate(block.subarray(0, filled))
}

/** Blocks of all layers share one bound, as in packing. */
class Deflater {
  #busy = 0
  readonly #waiting: (() => void)[] = []
  readonly #level: number

  constructor(level: number) {
    this.#level = level
  }

  /** Returns when the block is under way, not when it is done. */
  async deflate(block: Buffer): Promise<void> {
    while (this.#busy >= maxBlocks) await new Promise<void>((wake) => this.#waiting.push(wake))
    this.#busy += 1
    deflate(block, { level: this.#level, chunkSize: blockBytes + 1024 }, (error) => {
      if (error) throw error
      this.#busy -= 1
      this.#waiting.shift()?.()
    })
  }
}

const [layout, levelText = '5'] = process.argv.slice(2)
if (layout === undefined) {
  console.error('usage: bare-work.js OCI-LAYOUT [LEVEL]')
  process.exitCode = 2
} else await convert(layout, Number(levelText))
