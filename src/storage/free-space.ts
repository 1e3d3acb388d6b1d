/** Whether there is room before the work begins: better one sentence now than a full disk later. */
import { statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import { SregistryError } from '../errors/sregistry-error.ts'
import { type DiskPlace, diskError, isDiskError, placeMend } from './disk-error.ts'

/**
 * Bytes that an ordinary user may still write below this directory, which need not exist yet.
 * @throws {SregistryError} NOT_WRITABLE, STORAGE when the directory cannot be asked.
 */
export async function freeBytes(directory: string, place: DiskPlace): Promise<number> {
  for (let current = directory; ; current = dirname(current)) {
    try {
      const { bavail, bsize } = await statfs(current)
      return bavail * bsize
    } catch (error) {
      if (!isDiskError(error, 'ENOENT') || dirname(current) === current) {
        throw diskError(error, current, place, 'look at')
      }
    }
  }
}

/** @throws {SregistryError} DISK_FULL naming what is needed and what is free. */
export async function checkFreeSpace(
  directory: string,
  neededBytes: number,
  place: DiskPlace,
): Promise<void> {
  const free = await freeBytes(directory, place)
  if (free >= neededBytes) return
  const mebibytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`
  throw new SregistryError(
    'DISK_FULL',
    `${directory} has ${mebibytes(free)} free and ${mebibytes(neededBytes)} are needed`,
    { hint: `make room with \`sregistry cache clean\`, or ${placeMend(place)}` },
  )
}
