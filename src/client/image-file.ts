/** Image files of any form, opened for reading: squashfs, or the squashfs inside a SIF. */
import { type FileHandle, open } from 'node:fs/promises'
import { SregistryError } from '../errors/sregistry-error.ts'
import { detectImageFile } from '../sif/detect-image.ts'
import { readSif } from '../sif/sif-reader.ts'
import { fileSource } from '../squashfs/random-access-source.ts'
import { openSquashfs, type SquashfsReader } from '../squashfs/squashfs-reader.ts'
import { diskError, isDiskError } from '../storage/disk-error.ts'

/**
 * Opens an image for the time of its use.
 * @throws {SregistryError} IMAGE_INVALID when the file is no image or is damaged; IMAGE_NOT_FOUND when
 *   it is not there; NOT_WRITABLE or STORAGE when it may not or cannot be read.
 */
export async function withImage<Result>(
  path: string,
  use: (image: SquashfsReader, format: 'squashfs' | 'sif') => Promise<Result>,
): Promise<Result> {
  const handle = await openFile(path)
  try {
    const { image, format } = await openInside(handle, path)
    return await use(image, format)
  } finally {
    await handle.close()
  }
}

/** The bytes that something makes of an image; closed when they are read or given up. */
export async function* streamOfImage(
  path: string,
  read: (image: SquashfsReader) => AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const handle = await openFile(path)
  try {
    yield* read((await openInside(handle, path)).image)
  } finally {
    await handle.close()
  }
}

async function openInside(handle: FileHandle, path: string) {
  const found = await detectImageFile(path)
  const base = found.kind === 'sif' ? (await readSif(path)).primary.offset : found.offset
  return { image: await openSquashfs(fileSource(handle, base)), format: found.kind }
}

async function openFile(path: string): Promise<FileHandle> {
  try {
    return await open(path)
  } catch (cause) {
    if (!isDiskError(cause, 'ENOENT')) throw diskError(cause, path, 'storage', 'read')
    throw new SregistryError('IMAGE_NOT_FOUND', `${path} does not exist`, {
      hint: 'sregistry images lists what is here; sregistry rm removes the record of a lost file',
      cause,
    })
  }
}
