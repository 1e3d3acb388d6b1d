/**
 * Names of images in storage, as the ancestor's users know them: `library-busybox:latest.simg`.
 * Flattening loses what stood where a hyphen stands, and which registry it was; so each image also has
 * a distinguished name, used when the plain one belongs to another reference.
 */
import { createHash } from 'node:crypto'
import { basename } from 'node:path'
import { SregistryError } from '../errors/sregistry-error.ts'

export type ImageFormat = 'squashfs' | 'sif'

export type ImageNaming = {
  /** `library/busybox` */
  readonly repository: string
  readonly tag?: string | undefined
  /** `sha256:…` when the reference pins one. */
  readonly digest?: string | undefined
  /** Everything that tells this reference from others: `aws://HOST/library/busybox:latest`. */
  readonly uri: string
  readonly format: ImageFormat
}

/** Both names that an image may have; the distinguished one is never another reference's. */
export type ImageNames = { readonly plain: string; readonly distinguished: string }

/** What a name in storage stands for now. */
export type NameHolder = 'free' | 'same-reference' | 'other-reference' | 'unknown'

const extensions: Record<ImageFormat, string> = { squashfs: '.simg', sif: '.sif' }
/** NAME_MAX of Linux's file systems, in bytes. */
const maxNameBytes = 255
const maxPathBytes = 4095

/** The names of one reference: pure, so that every run and every host finds the same. */
export function imageNames(naming: ImageNaming): ImageNames {
  const mark = createHash('sha256').update(naming.uri).digest('hex')
  const stem = naming.repository.replaceAll('/', '-')
  const tag = naming.tag === undefined ? '' : `:${naming.tag}`
  const digest =
    naming.digest === undefined ? '' : `@${naming.digest.slice(0, 'sha256:'.length + 12)}`
  const ending = `${tag}${digest}${extensions[naming.format]}`
  return {
    plain: fitName(stem, '', ending, mark),
    distinguished: fitName(stem, `~${mark.slice(0, 8)}`, ending, mark),
  }
}

/**
 * Which of its names an image gets. An `unknown` holder (a file that no record tells of) keeps the plain
 * name chosen: whether it may be replaced is the user's word (`--force`).
 */
export async function chooseImageName(
  names: ImageNames,
  holderOf: (name: string) => Promise<NameHolder>,
): Promise<string> {
  return (await holderOf(names.plain)) === 'other-reference' ? names.distinguished : names.plain
}

/** The format that a file's name asks for, undefined when it says nothing. */
export function formatOfName(path: string): ImageFormat | undefined {
  if (path.endsWith('.sif')) return 'sif'
  return /\.(simg|sqsh|squashfs)$/.test(path) ? 'squashfs' : undefined
}

/** @throws {SregistryError} USAGE when a name given by the user is longer than file systems allow. */
export function checkFileName(path: string): void {
  const isTooLong =
    Buffer.byteLength(path) > maxPathBytes ||
    path.split('/').some((name) => Buffer.byteLength(name) > maxNameBytes)
  if (!isTooLong && basename(path) !== '' && !path.includes('\0')) return
  throw new SregistryError('USAGE', `"${path.slice(0, 80)}" cannot be the name of a file`, {
    hint: `a name has 1 to ${maxNameBytes} bytes, a path at most ${maxPathBytes}`,
  })
}

/** A name that would be too long keeps its beginning, and the mark of the whole reference. */
function fitName(stem: string, suffix: string, ending: string, mark: string): string {
  const whole = `${stem}${suffix}${ending}`
  if (Buffer.byteLength(whole) <= maxNameBytes) return whole
  const tail = `~${mark.slice(0, 16)}${suffix}${ending}`
  return `${stem.slice(0, maxNameBytes - Buffer.byteLength(tail))}${tail}`
}
