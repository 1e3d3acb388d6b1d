/**
 * Which kind of image a file is, by the rules of the runtimes (FORMATS § 5.5): a SIF, a squashfs, or a
 * squashfs behind the line that makes the file executable.
 */
import { open } from 'node:fs/promises'
import { SregistryError } from '../errors/sregistry-error.ts'
import { header, sifMagic } from './sif-format.ts'

export type DetectedImage =
  | { readonly kind: 'sif' }
  /** offset: where the superblock is in the file. */
  | { readonly kind: 'squashfs'; readonly offset: number }

/** How much of a file runtimes look at. */
export const headBytes = 2048

const squashfsMagic = 'hsqs'
const launchMarker = ' run-singularity'
const sifMarker = sifMagic.slice(0, -1)

/**
 * Reads the start of a file and says what it is.
 * @throws {SregistryError} IMAGE_INVALID when it is no image that a runtime would run.
 */
export async function detectImageFile(path: string): Promise<DetectedImage> {
  const file = await open(path)
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(headBytes), 0, headBytes, 0)
    return detectImage(buffer.subarray(0, bytesRead))
  } finally {
    await file.close()
  }
}

/**
 * @param head The first 2048 bytes of the file.
 * @throws {SregistryError} IMAGE_INVALID when they start no image that a runtime would run.
 */
export function detectImage(head: Uint8Array): DetectedImage {
  const text = Buffer.from(head).toString('latin1')
  if (text.startsWith(sifMarker, header.magic)) return { kind: 'sif' }
  for (const offset of [0, afterLaunchLine(text)]) {
    if (text.startsWith(squashfsMagic, offset)) return { kind: 'squashfs', offset }
  }
  throw new SregistryError('IMAGE_INVALID', 'the file is neither a squashfs nor a SIF', {
    hint: 'images of Singularity 2 in other formats must be built again',
  })
}

/**
 * Whether the start of a bare squashfs would mislead a runtime: from 3.x on they search it for the
 * marks of the other kinds, and an uncompressed file may lie there.
 */
export function misleadsRuntimes(head: Uint8Array): boolean {
  const text = Buffer.from(head.subarray(0, headBytes)).toString('latin1')
  return text.includes(sifMarker) || text.includes(launchMarker)
}

function afterLaunchLine(text: string): number {
  const marker = text.indexOf(launchMarker)
  const newline = marker < 1 ? -1 : text.indexOf('\n', marker)
  return newline + 1
}
