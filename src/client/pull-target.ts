/** Where a pulled image goes, in which form, and whether it is there already. */
import { lstat } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import type { ImageRecord } from '../catalog/image-record.ts'
import { SregistryError } from '../errors/sregistry-error.ts'
import { defaultBlockSize, type PackingParameters } from '../image/packing-parameters.ts'
import { defaultCompression, formatCompression, parseCompression } from '../squashfs/compression.ts'
import {
  checkFileName,
  chooseImageName,
  formatOfName,
  type ImageFormat,
  imageNames,
} from '../storage/image-name.ts'
import { isInPlace } from './image-in-place.ts'
import { imageTitle, imageUri, recordUri, sourceName, tagOf } from './image-uri.ts'
import { isMadeTheSame, makingOptions } from './making-options.ts'
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
  /** What the record said that the new one replaces. */
  readonly replaced: ImageRecord | undefined
  /** The record of another reference, whose file a forced pull replaces. */
  readonly displaced: ImageRecord | undefined
  /** Whether a file that has the name is to be replaced; otherwise it is to be looked at anew. */
  readonly mayReplace: boolean
}

export type TargetInput = PullInput & {
  /** Digest of the platform's manifest. */
  readonly digest: string
}

/**
 * @throws {SregistryError} IMAGE_EXISTS when the name is taken by another image and `force` is not
 *   given; USAGE for options that make no sense.
 */
export async function choosePullTarget(input: TargetInput): Promise<PullTarget> {
  const { options } = input
  checkSwitches(options)
  const isStored = goesToStorage(options)
  const compression = parseCompression(options.compression ?? formatCompression(defaultCompression))
  const form = {
    format: formatFor(options),
    compression: formatCompression(compression),
    parameters: { compression, blockSize: defaultBlockSize },
    isStored,
    usesCache: usesCache(input),
    present: undefined,
    replaced: undefined,
    displaced: undefined,
    mayReplace: options.force ?? false,
  } as const
  return isStored ? storedTarget(input, form) : fileTarget(input, form)
}

/**
 * Where the image goes unless another has that name, before the registry was asked.
 * @throws as `choosePullTarget`.
 */
export function likelyPath(input: PullInput): string {
  const { options, context } = input
  const format = formatFor(options)
  const { plain } = namesOf(input, format)
  if (!goesToStorage(options)) return resolve(options.name ?? plain)
  const name = options.name === undefined ? plain : storedName(options.name, format)
  return join(context.settings.storage(), name)
}

/** Whether packed layers are taken from the cache and kept there. */
export function usesCache({ options, context }: PullInput): boolean {
  return options.cache !== false && !context.settings.flag('SINGULARITY_DISABLE_CACHE')
}

function goesToStorage({ cache, save }: PullInput['options']): boolean {
  return cache !== false && save !== false
}

const switches = ['cache', 'save', 'force', 'allRoot', 'fixPermissions'] as const

/** `force: 'no'` would be a yes, and replace an image. */
function checkSwitches(options: PullInput['options']): void {
  for (const name of switches) {
    const given: unknown = options[name]
    if (given === undefined || typeof given === 'boolean') continue
    throw new SregistryError('USAGE', `the option ${name} is true or false, not ${String(given)}`)
  }
}

/** JavaScript holds nobody to the types: `format: 'siff'` made a file whose name ended in "undefined". */
function formatFor({ name, format }: PullInput['options']): ImageFormat {
  if (name !== undefined && typeof name !== 'string') {
    throw new SregistryError('USAGE', 'the name of an image file is a text')
  }
  const wanted = format ?? formatOfName(name ?? '') ?? 'squashfs'
  if (wanted === 'squashfs' || wanted === 'sif') return wanted
  throw new SregistryError('USAGE', `unknown format "${String(wanted)}"`, {
    hint: 'squashfs or sif',
  })
}

type Form = Omit<PullTarget, 'path' | 'shownPath' | 'uri'>

const chooseOther = 'remove it first, choose another name with --name, or use --force to replace it'

/** A file in the working directory: nothing knows of it but the user. */
async function fileTarget(input: TargetInput, form: Form): Promise<PullTarget> {
  const { access, client, options } = input
  const uri = imageUri(client, access.host, access.reference)
  const name = options.name ?? namesOf(input, form.format).plain
  checkFileName(name)
  const path = resolve(name)
  if (!options.force && (await isTaken(path))) {
    throw new SregistryError('IMAGE_EXISTS', `${name} exists`, { hint: chooseOther })
  }
  return { ...form, path, shownPath: name, uri }
}

async function storedTarget(input: TargetInput, form: Form): Promise<PullTarget> {
  const { access, client, context, options } = input
  const plainUri = imageUri(client, access.host, access.reference)
  const names = namesOf(input, form.format)
  const given = options.name === undefined ? undefined : storedName(options.name, form.format)
  const uri = recordUri(plainUri, { names, fileName: given ?? names.plain, format: form.format })
  const record = await context.catalog.get(uri)
  if (record !== undefined && (await isInPlace(record))) {
    return recordedTarget(input, form, record)
  }
  const storage = context.settings.storage()
  const holder = (name: string) => holderOf(input, join(storage, name), uri)
  const path = join(storage, given ?? (await chooseImageName(names, holder)))
  const target = { ...form, path, shownPath: path, uri, replaced: record }
  return (await isTaken(path)) ? takenTarget(input, target) : target
}

/** The image stays where it is, which may be a place that the user moved it to. */
function recordedTarget(input: TargetInput, form: Form, record: ImageRecord): PullTarget {
  const { path, uri } = record
  const target = { ...form, path, shownPath: path, uri }
  if (!input.options.force) {
    refuseChange(input, form, record)
    return { ...target, present: record }
  }
  return { ...target, replaced: record }
}

/** A file that has the name, though not as this reference's image. */
async function takenTarget(input: TargetInput, target: PullTarget): Promise<PullTarget> {
  if (input.options.force) {
    return { ...target, displaced: await input.context.catalog.findByPath(target.path) }
  }
  // saved by a run that could not record it: made again, the bytes are those that are there
  if (await isMadeOf(target.path, input)) return { ...target, mayReplace: true }
  const title = imageTitle(input.access.reference)
  throw new SregistryError(
    'IMAGE_EXISTS',
    `${target.path} exists, and the catalogue does not know it as ${title}`,
    { hint: chooseOther },
  )
}

function namesOf({ access, client }: PullInput, format: ImageFormat) {
  const { repository, tag, digest } = access.reference
  return imageNames({
    repository,
    tag: tag ?? (digest === undefined ? 'latest' : undefined),
    digest: tag === undefined && digest !== undefined ? tagOf(access.reference) : undefined,
    uri: imageUri(client, access.host, access.reference),
    format,
  })
}

/** A name given for storage is one file there, whatever slashes it has. */
function storedName(name: string, format: Form['format']): string {
  checkFileName(name)
  const flat = basename(name) === name ? name : name.replaceAll('/', '-')
  const extension = format === 'sif' ? '.sif' : '.simg'
  return formatOfName(flat) === undefined ? `${flat}${extension}` : flat
}

async function holderOf({ context }: TargetInput, path: string, uri: string) {
  if (!(await isTaken(path))) return 'free'
  const record = await context.catalog.findByPath(path)
  if (record === undefined) return 'unknown'
  return record.uri === uri ? 'same-reference' : 'other-reference'
}

/** @throws {SregistryError} IMAGE_EXISTS unless the record's file is what this pull would make. */
function refuseChange(input: TargetInput, form: Form, record: ImageRecord): void {
  const { access, context, digest, options } = input
  const title = imageTitle(access.reference)
  if (record.digest !== digest) {
    throw new SregistryError(
      'IMAGE_EXISTS',
      `${title} has changed: here is ${record.digest ?? 'an image of unknown digest'}, the registry has ${digest}`,
      { hint: 'use --force to replace it, or --name to keep both' },
    )
  }
  const isCompressed = options.compression === undefined || record.compression === form.compression
  const isMade = isMadeTheSame(record.made, makingOptions(options, context.env))
  if (record.format === form.format && isCompressed && isMade) return
  throw new SregistryError(
    'IMAGE_EXISTS',
    `${title} is here at ${record.path}, made with other options`,
    { hint: 'use --force to make it again, or --name to keep both' },
  )
}

/** Whether a file says of itself that it was made of this very image. */
async function isMadeOf(path: string, { access, digest }: TargetInput): Promise<boolean> {
  const { madeOf } = await import('./image-inspection.ts')
  return (await madeOf(path)) === sourceName(access.host, access.reference.repository, digest)
}

async function isTaken(path: string): Promise<boolean> {
  // what cannot be looked at is told by the write that follows
  return (await lstat(path).catch(() => undefined)) !== undefined
}
