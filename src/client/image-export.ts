/** The tree of an image file as a tar archive: into a file that is whole or not there, or as a stream. */
import { SregistryError } from '../errors/sregistry-error.ts'
import { type ExportOptions, exportTree } from '../image/export-tar.ts'
import { createAtomicFile } from '../storage/atomic-file.ts'
import { streamOfImage } from './image-file.ts'

/** @throws {SregistryError} IMAGE_INVALID, IMAGE_NOT_FOUND, CANCELLED, STORAGE. */
export function exportTar(path: string, options: ExportOptions = {}): AsyncGenerator<Uint8Array> {
  return streamOfImage(path, (image) => exportTree(image, options))
}

/**
 * Writes the archive into a new file.
 * @returns its size in bytes.
 * @throws {SregistryError} IMAGE_EXISTS when the file is there already; as `exportTar`; disk errors.
 */
export async function exportToFile(
  path: string,
  target: string,
  options: ExportOptions = {},
): Promise<number> {
  const file = await createAtomicFile(target, { place: 'output', mode: 0o666 })
  try {
    let sizeBytes = 0
    for await (const bytes of exportTar(path, options)) {
      await file.write(bytes)
      sizeBytes += bytes.length
    }
    if ((await file.commit({ replace: false })) === 'committed') return sizeBytes
    throw new SregistryError('IMAGE_EXISTS', `${target} exists`, {
      hint: 'remove it first, or choose another name',
    })
  } finally {
    await file.abort()
  }
}
