import { SregistryError } from '../errors/sregistry-error.ts'

/** The error for an image that breaks the format. */
export function damagedImage(what: string, cause?: unknown): SregistryError {
  return new SregistryError('IMAGE_INVALID', `the squashfs image is damaged: ${what}`, {
    hint: 'pull the image again, or check it with unsquashfs -lln',
    cause,
  })
}
