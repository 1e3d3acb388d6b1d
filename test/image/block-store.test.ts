import type { FileHandle } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { BlockStore } from '../../src/image/block-store.ts'
import { PackingSlots } from '../../src/image/packing-slots.ts'
import { createBlockCompressor } from '../../src/squashfs/block-compressor.ts'

/** A file whose writes end when they are let go, as on a disk that is busy. */
class SlowFile {
  readonly writes: { readonly position: number; readonly bytes: Buffer }[] = []
  readonly #ends: (() => void)[] = []

  async writev(parts: readonly Uint8Array[], position: number): Promise<{ bytesWritten: number }> {
    const bytes = Buffer.concat(parts)
    await new Promise<void>((resolve) => this.#ends.push(resolve))
    this.writes.push({ position, bytes })
    return { bytesWritten: bytes.length }
  }

  /** Lets writes end, one after the other, until nothing is asked for any more. */
  async letGo(until: Promise<void>): Promise<void> {
    let isDone = false
    const done = until.finally(() => {
      isDone = true
    })
    while (!isDone) {
      this.#ends.shift()?.()
      await new Promise((resolve) => setImmediate(resolve))
    }
    await done
  }
}

test('flush writes what came while another write was under way', async () => {
  const file = new SlowFile()
  const store = new BlockStore(file as unknown as FileHandle, 0, {
    compressor: createBlockCompressor({ kind: 'none', level: 0 }),
    slots: new PackingSlots(4),
  })
  const first = Buffer.alloc(1_048_576, 1)
  const second = Buffer.alloc(1000, 2)
  store.submit(first, () => undefined)
  store.submit(second, () => undefined)
  await file.letGo(store.flush())
  const written = Buffer.concat(file.writes.map(({ bytes }) => bytes))
  expect(written.equals(Buffer.concat([first, second]))).toBe(true)
  expect(file.writes.map(({ position }) => position)).toEqual([0, first.length])
})
