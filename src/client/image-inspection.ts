/** What an image file says of itself: read from inside, without mounting or running it. */
import { isSregistryError } from '../errors/sregistry-error.ts'
import type { SquashfsReader } from '../squashfs/squashfs-reader.ts'
import { withImage } from './image-file.ts'
import { sourceLabel } from './image-uri.ts'

/** The metadata in an image; what it lacks is absent. */
export type ImageContents = {
  readonly format: 'squashfs' | 'sif'
  readonly labels?: Readonly<Record<string, string>>
  readonly deffile?: string
  readonly runscript?: string
  readonly environment?: string
}

/** What is known of a local image: the catalogue's record, and the image's own metadata. */
export type ImageInspection = {
  readonly name: string
  readonly tag: string
  readonly client: string
  readonly uri: string
  readonly digest?: string | undefined
  readonly platform?: string | undefined
  readonly path: string
  readonly size: number
  readonly created?: string | undefined
  readonly pulled: string
} & ImageContents

/** No script or label file is anywhere near this long. */
const maxTextBytes = 4 * 1024 * 1024

/**
 * @throws {SregistryError} IMAGE_INVALID when the file is no image or is damaged; IMAGE_NOT_FOUND when
 *   it is not there; NOT_WRITABLE when it may not be read.
 */
export function readImageContents(path: string): Promise<ImageContents> {
  return withImage(path, async (image, format) => ({ format, ...(await readTexts(image)) }))
}

/** `HOST/REPOSITORY@DIGEST` that a file says it was made of; undefined when it is no image or silent. */
export async function madeOf(path: string): Promise<string | undefined> {
  try {
    return (await readImageContents(path)).labels?.[sourceLabel]
  } catch (error) {
    if (isSregistryError(error)) return undefined
    throw error
  }
}

async function readTexts(image: SquashfsReader): Promise<Omit<ImageContents, 'format'>> {
  const read = async (name: string): Promise<string | undefined> => {
    const bytes = await image.readFile(`.singularity.d/${name}`, { maxBytes: maxTextBytes })
    return bytes === undefined ? undefined : Buffer.from(bytes).toString()
  }
  const [labels, deffile, runscript, environment] = [
    labelsOf(await read('labels.json')),
    await read('Singularity'),
    await read('runscript'),
    await read('env/10-docker2singularity.sh'),
  ]
  return {
    ...(labels === undefined ? {} : { labels }),
    ...(deffile === undefined ? {} : { deffile }),
    ...(runscript === undefined ? {} : { runscript }),
    ...(environment === undefined ? {} : { environment }),
  }
}

/** Labels of images that others made may be anything; only texts are taken. */
function labelsOf(text: string | undefined): Record<string, string> | undefined {
  if (text === undefined) return undefined
  try {
    const labels: unknown = JSON.parse(text)
    if (typeof labels !== 'object' || labels === null) return undefined
    return Object.fromEntries(
      Object.entries(labels).filter(([, value]) => typeof value === 'string'),
    )
  } catch {
    // no JSON: an image without labels is still an image
    return undefined
  }
}
