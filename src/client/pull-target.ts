/** Where a pulled image goes, in which form, and whether it is there already. */

import { lstat } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import type { ImageRecord } from '../catalog/image-record.ts'
import { SregistryError } from '../errors/sregistry-error.ts'
import { defaultBlockSize, type PackingParameters } from '../image/packing-parameters.ts'
import { defaultCompression, formatCompression, parseCompression } from '../squashfs/compression.ts'
import { checkFileName, chooseImageName, formatOfName, imageNames } from '../storage/image-name.ts'
import { isInPlace } from './image-in-place.ts'
import { imageTitle, imageUri, tagOf } from './image-uri.ts'
import type { PullInput } from './pull-input.ts'

export type PullTarget = {
  readonly path: string
  /** The path as the output says it: as given for the working directory, absolute in storage. */
  readonly shownPath: string
  readonly format: 'squashfs' | 'sif'
  readonly compression: string
  readonly parameters: PackingParameters
  /** Key of the record. */
  readonly uri: string
  /** Into storage and catalogue, or into the working directory. */
  readonly isStored: boolean
  readonly usesCache: boolean
  /** The same image, already in place: nothing is to be done. */
  readonly present: ImageRecord | undefined
  /** What a forced pull replaces. */
  readonly replaced: ImageRecord | undefined
}

export type TargetInput = PullInput & {
  /** Digest of the platform's manifest. */
  readonly digest: string
}

/**
 * @throws {SregistryError} IMAGE_EXISTS when the name is taken by another image and `force` is not
 *   given; USAGE for names and compressions that make no sense.
 */
export async function choosePullTarget(input: TargetInput): Promise<PullTarget> {
  const { options, context } = input
  const isStored = options.cache !== false && options.save !== false
  const compression = parseCompression(options.compression ?? formatCompression(defaultCompression))
  const form = {
    format: options.format ?? formatOfName(options.name ?? '') ?? 'squashfs',
    compression: formatCompression(compression),
    parameters: { compression, blockSize: defaultBlockSize },
    isStored,
    usesCache: options.cache !== false && !context.settings.flag('SINGULARITY_DISABLE_CACHE'),
  }
  return isStored ? storedTarget(input, form) : fileTarget(input, form)
}

type Form = Pick<PullTarget, 'format' | 'compression' | 'parameters' | 'isStored' | 'usesCache'>

/** A file in the working directory: nothing knows of it but the user. */
async function fileTarget(
  { access, client, options }: TargetInput,
  form: Form,
): Promise<PullTarget> {
  const uri = imageUri(client, access.host, access.reference)
  const name = options.name ?? imageNames(namingOf({ access, uri }, form)).plain
  checkFileName(name)
  const path = resolve(name)
  if (!options.force && (await isTaken(path))) {
    throw new SregistryError('IMAGE_EXISTS', `${name} exists`, {
      hint: 'remove it first, choose another name with --name, or use --force to replace it',
    })
  }
  return { ...form, path, shownPath: name, uri, present: undefined, replaced: undefined }
}

async function storedTarget(input: TargetInput, form: Form): Promise<PullTarget> {
  const { access, client, context, options } = input
  const plainUri = imageUri(client, access.host, access.reference)
  const records = await context.catalog.list(plainUri)
  const storage = context.settings.storage()
  const names = imageNames(namingOf({ access, uri: plainUri }, form))
  const name = options.name === undefined ? undefined : storedName(options.name, form.format)
  const fileName =
    name ?? (await chooseImageName(names, (one) => holderOf(input, join(storage, one), plainUri)))
  const path = join(storage, fileName)
  const uri =
    fileName === names.plain && form.format === 'squashfs' ? plainUri : `${plainUri}#${fileName}`
  const record = records.find((one) => one.uri === uri && one.path === path)
  const target = { ...form, path, shownPath: path, uri }
  if (record !== undefined && (await isSameImage(record, input, form))) {
    return { ...target, present: record, replaced: undefined }
  }
  if (!options.force) await refuseReplacement(input, record, path)
  return { ...target, present: undefined, replaced: record }
}

function namingOf({ access, uri }: Pick<TargetInput, 'access'> & { uri: string }, form: Form) {
  const { repository, tag, digest } = access.reference
  return {
    repository,
    tag: tag ?? (digest === undefined ? 'latest' : undefined),
    digest: tag === undefined && digest !== undefined ? tagOf(access.reference) : undefined,
    uri,
    format: form.format,
  }
}

/** A name given for storage is one file there, whatever slashes it has. */
function storedName(name: string, format: Form['format']): string {
  checkFileName(name)
  const flat = basename(name) === name ? name : name.replaceAll('/', '-')
  const extension = format === 'sif' ? '.sif' : '.simg'
  return formatOfName(flat) === undefined ? `${flat}${extension}` : flat
}

async function holderOf({ context }: TargetInput, path: string, uri: string) {
  const record = await context.catalog.findByPath(path)
  if (record !== undefined) return record.uri === uri ? 'same-reference' : 'other-reference'
  return (await isTaken(path)) ? 'unknown' : 'free'
}

/** Same digest, same form, file in place: then the file is, bit for bit, what a pull would make. */
async function isSameImage(
  record: ImageRecord,
  { digest, options }: TargetInput,
  form: Form,
): Promise<boolean> {
  if (options.force || options.allRoot || options.fixPermissions) return false
  const isAsked = record.digest === digest && record.format === form.format
  const isCompressed = options.compression === undefined || record.compression === form.compression
  return isAsked && isCompressed && isInPlace(record)
}

async function refuseReplacement(
  { access, digest }: TargetInput,
  record: ImageRecord | undefined,
  path: string,
): Promise<void> {
  const title = imageTitle(access.reference)
  if (record?.digest !== undefined && record.digest !== digest && (await isInPlace(record))) {
    throw new SregistryError(
      'IMAGE_EXISTS',
      `${title} has changed: here is ${record.digest}, the registry has ${digest}`,
      { hint: 'use --force to replace it, or --name to keep both' },
    )
  }
  // a record without its file is mended by pulling it again
  if (!(await isTaken(path)) || record?.digest === digest) return
  throw new SregistryError(
    'IMAGE_EXISTS',
    `${path} exists, and the catalogue does not know it as ${title}`,
    {
      hint: 'remove it first, choose another name with --name, or use --force to replace it',
    },
  )
}

async function isTaken(path: string): Promise<boolean> {
  // what cannot be looked at is told by the write that follows
  return (await lstat(path).catch(() => undefined)) !== undefined
}
