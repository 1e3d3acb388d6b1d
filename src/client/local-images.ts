/** The images on this machine: records of the catalogue and the files they name. */
import { createReadStream } from 'node:fs'
import { link, lstat, stat, unlink } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import type { ImageRecord } from '../catalog/image-record.ts'
import { throwIfCancelled } from '../errors/cancelled.ts'
import { SregistryError } from '../errors/sregistry-error.ts'
import { parseReference, type Reference } from '../registry/reference.ts'
import { createAtomicFile } from '../storage/atomic-file.ts'
import { diskError, isDiskError } from '../storage/disk-error.ts'
import { checkFileName, type ImageNaming, imageNames } from '../storage/image-name.ts'
import { makePrivateDirectory } from '../storage/private-directory.ts'
import type { CallOptions } from './call-options.ts'
import type { ClientContext } from './client-context.ts'
import type { ImageContents, ImageInspection } from './image-inspection.ts'
import { imageUri, recordUri, sourceLabel, tagOf } from './image-uri.ts'

export type AddOptions = CallOptions & { readonly copy?: boolean }

/** How often a label has a value among the images. */
export type LabelCount = { readonly key: string; readonly value: string; readonly count: number }

export class LocalImages {
  readonly #context: ClientContext

  constructor(context: ClientContext) {
    this.#context = context
  }

  list(query?: string): Promise<readonly ImageRecord[]> {
    return this.#context.catalog.list(query)
  }

  /**
   * The record of a name, a full reference, a file name in storage or a path.
   * @throws {SregistryError} IMAGE_NOT_FOUND, with names that are near.
   */
  async get(name: string): Promise<ImageRecord> {
    const { catalog, settings } = this.#context
    const found =
      (await catalog.get(name)) ??
      (await catalog.findByPath(join(settings.storage(), name))) ??
      (await catalog.findByPath(resolve(name)))
    if (found !== undefined) return found
    const near = (await catalog.list(basename(name).split(':')[0])).slice(0, 3)
    throw new SregistryError('IMAGE_NOT_FOUND', `image ${name} not found in database`, {
      hint:
        near.length > 0
          ? `there is ${near.map((one) => `${one.name}:${one.tag}`).join(', ')}`
          : 'sregistry images lists what is here; sregistry pull gets more',
    })
  }

  async inspect(name: string): Promise<ImageInspection> {
    const record = await this.get(name)
    const { tag, client, uri, digest, platform, path, created, pulled } = record
    const { readImageContents } = await import('./image-inspection.ts')
    const contents = await readImageContents(path)
    const facts = { tag, client, uri, digest, platform, path, created, pulled }
    return { name: record.name, ...facts, size: record.sizeBytes, ...contents }
  }

  async remove(name: string): Promise<ImageRecord> {
    const record = await this.get(name)
    try {
      await unlink(record.path)
    } catch (error) {
      // a record whose file is gone already is removed all the same
      if (!isDiskError(error, 'ENOENT')) throw diskError(error, record.path, 'storage', 'remove')
    }
    await this.#context.catalog.remove(record)
    return record
  }

  /**
   * Records an image file under a name; one outside storage is moved or copied there. A full reference
   * (`aws://HOST/…`) records it as a pull would have.
   * @throws {SregistryError} IMAGE_INVALID for a file that is no image; IMAGE_EXISTS; disk errors.
   */
  async add(path: string, name: string, options: AddOptions): Promise<ImageRecord> {
    const source = resolve(path)
    const { readImageContents } = await import('./image-inspection.ts')
    const contents = await readImageContents(source)
    const storage = this.#context.settings.storage()
    const naming = namingOf(name, contents.format)
    const isThere = dirname(source) === storage
    const target = isThere ? source : join(storage, imageNames(naming).plain)
    const added = addedImage(naming, target, contents)
    if (isThere) await this.#refuseRecorded(target, added.uri)
    else {
      await makePrivateDirectory(storage, 'storage')
      await this.#refuseTaken(target, added.uri)
      await placeFile(source, target, options)
    }
    const record: ImageRecord = {
      ...added,
      sizeBytes: (await stat(target)).size,
      pulled: new Date().toISOString(),
    }
    await this.#context.catalog.put(record)
    return record
  }

  async move(name: string, path: string, options: CallOptions): Promise<ImageRecord> {
    const record = await this.get(name)
    const given = resolve(path)
    const isDirectory = (await stat(given).catch(() => undefined))?.isDirectory() === true
    return this.#relocate(record, isDirectory ? join(given, basename(record.path)) : given, options)
  }

  async rename(name: string, to: string, options: CallOptions): Promise<ImageRecord> {
    const record = await this.get(name)
    if (basename(to) !== to) {
      throw new SregistryError('USAGE', `"${to}" is a path, not a name`, {
        hint: 'sregistry mv moves an image to another directory',
      })
    }
    return this.#relocate(record, join(dirname(record.path), to), options)
  }

  /** Labels by how many images have them. @param query part of a key or value. */
  async labels(query?: string): Promise<readonly LabelCount[]> {
    const counts = new Map<string, LabelCount>()
    for (const { labels } of await this.list()) {
      for (const [key, value] of Object.entries(labels)) {
        if (query !== undefined && !key.includes(query) && !value.includes(query)) continue
        const id = JSON.stringify([key, value])
        counts.set(id, { key, value, count: (counts.get(id)?.count ?? 0) + 1 })
      }
    }
    return [...counts.values()].sort((a, b) => b.count - a.count || (a.key < b.key ? -1 : 1))
  }

  async #relocate(record: ImageRecord, target: string, options: CallOptions): Promise<ImageRecord> {
    checkFileName(target)
    if (target === record.path) {
      throw new SregistryError('USAGE', `${target} is already the name.`)
    }
    await this.#refuseTaken(target, record.uri)
    await placeFile(record.path, target, { ...options, copy: false })
    const moved = { ...record, path: target }
    try {
      await this.#context.catalog.put(moved)
    } catch (error) {
      // record and file stay together: the error of the catalogue is the news
      await placeFile(target, record.path, { copy: false }).catch(() => undefined)
      throw error
    }
    return moved
  }

  async #refuseRecorded(path: string, uri: string): Promise<void> {
    const record = await this.#context.catalog.findByPath(path)
    if (record === undefined || record.uri === uri) return
    throw new SregistryError('IMAGE_EXISTS', `${path} is recorded as ${record.uri}`, {
      hint: 'sregistry rename or mv gives it another name',
    })
  }

  async #refuseTaken(target: string, uri: string): Promise<void> {
    // what cannot be looked at is told by the move that follows
    if ((await lstat(target).catch(() => undefined)) !== undefined) throw taken(target, uri)
  }
}

type AddedNaming = ImageNaming & { readonly reference: Reference }

/** The names of an image that is added: of this machine, or of the registry that a URI names. */
function namingOf(name: string, format: ImageContents['format']): AddedNaming {
  // the part after # is the name of the file, which it has already
  const reference = parseReference(name.split('#', 1)[0] ?? name)
  const { repository, scheme, registry } = reference
  const tag = tagOf(reference)
  const uri =
    scheme === undefined || registry === undefined
      ? `local://${repository}:${tag}`
      : imageUri(scheme, registry, reference)
  return { repository, tag, uri, format, reference }
}

function addedImage(naming: AddedNaming, path: string, contents: ImageContents) {
  const { uri, reference, format } = naming
  const isLocal = uri.startsWith('local://')
  const file = { names: imageNames(naming), fileName: basename(path), format }
  const shared = {
    name: reference.repository,
    tag: tagOf(reference),
    path,
    format,
    labels: contents.labels ?? {},
  }
  if (isLocal) return { ...shared, client: 'local', uri }
  const source = `${reference.registry}/${reference.repository}@`
  const madeOf = contents.labels?.[sourceLabel]
  return {
    ...shared,
    client: reference.scheme ?? 'local',
    uri: recordUri(uri, file),
    ...(reference.registry === undefined ? {} : { registry: reference.registry }),
    ...(madeOf?.startsWith(source) ? { digest: madeOf.slice(source.length) } : {}),
  }
}

function taken(target: string, uri: string): SregistryError {
  return new SregistryError('IMAGE_EXISTS', `${target} exists`, {
    hint: `remove it first (sregistry rm ${uri}), or choose another name`,
  })
}

/** Moves a file, or copies it where a link cannot reach; never visible half done, never over another. */
async function placeFile(source: string, target: string, options: AddOptions): Promise<void> {
  if (options.copy || !(await linkFile(source, target))) await copyWhole(source, target, options)
  if (!options.copy) await unlink(source)
}

/** @returns false where hard links do not reach: another file system, or one that has none. */
async function linkFile(source: string, target: string): Promise<boolean> {
  try {
    await link(source, target)
    return true
  } catch (error) {
    if (isDiskError(error, 'EEXIST')) throw taken(target, target)
    const cannotLink = ['EXDEV', 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']
    if (!isDiskError(error, ...cannotLink)) throw diskError(error, target, 'storage')
    return false
  }
}

async function copyWhole(source: string, target: string, { signal }: CallOptions): Promise<void> {
  const file = await createAtomicFile(target, { place: 'storage', mode: 0o755 })
  try {
    const bytes = createReadStream(source, { highWaterMark: 1024 * 1024 })
    for await (const chunk of bytes) {
      throwIfCancelled(signal, 'copying the image')
      await file.write(chunk)
    }
    if ((await file.commit({ replace: false })) === 'existed') throw taken(target, target)
  } catch (error) {
    throw diskError(error, target, 'storage')
  } finally {
    await file.abort()
  }
}
