import { stat } from 'node:fs/promises'
import type { ImageRecord } from '../catalog/image-record.ts'

/** Whether the file of a record is still there, with its size. */
export async function isInPlace(record: ImageRecord): Promise<boolean> {
  // whatever keeps us from seeing the file, the image is then not in place
  const stats = await stat(record.path).catch(() => undefined)
  return stats?.isFile() === true && stats.size === record.sizeBytes
}
