import { SregistryError } from '../../errors/sregistry-error.ts'

/** How much of a name from inside an archive a message shows. */
const shownNameLength = 200

/** The error for an archive that breaks its format, naming the entry where that is known. */
export function layerInvalid(what: string, path?: string, cause?: unknown): SregistryError {
  const where = path === undefined ? '' : ` (entry ${showName(path)})`
  return new SregistryError('LAYER_INVALID', `the layer is damaged: ${what}${where}`, {
    hint: 'the image was built or stored wrongly: build and push it again',
    cause,
  })
}

/** A name from inside an archive, made safe for messages: UTF-8 where it is, controls escaped, cut. */
export function showName(name: string): string {
  const text = Buffer.from(name, 'latin1').toString('utf8')
  return JSON.stringify(text.length > shownNameLength ? `${text.slice(0, shownNameLength)}…` : text)
}
