import type { FileHandle } from 'node:fs/promises'
import { SregistryError } from '../errors/sregistry-error.ts'
import { damagedImage } from './damaged-image.ts'

/** Bytes that can be read at any position: a file, a part of a file, memory. */
export type RandomAccessSource = {
  /** Fewer bytes than asked for only where the source ends. */
  read(position: number, length: number): Promise<Uint8Array>
}

/**
 * An open file as a source. The caller keeps the handle and closes it.
 * @param base Where the image begins in the file, as in a SIF.
 */
export function fileSource(handle: FileHandle, base = 0): RandomAccessSource {
  return {
    async read(position, length) {
      const bytes = Buffer.allocUnsafe(length)
      let filled = 0
      while (filled < length) {
        const { bytesRead } = await handle
          .read(bytes, filled, length - filled, base + position + filled)
          .catch((cause: unknown) => {
            throw new SregistryError('STORAGE', 'an image file cannot be read', { cause })
          })
        if (bytesRead === 0) break
        filled += bytesRead
      }
      return bytes.subarray(0, filled)
    },
  }
}

/** @throws {SregistryError} IMAGE_INVALID where the source ends before. */
export async function readExactly(
  source: RandomAccessSource,
  position: number,
  length: number,
): Promise<Buffer> {
  const bytes = await source.read(position, length)
  if (bytes.length !== length) throw damagedImage(`it ends before byte ${position + length}`)
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
