/** The images on this machine: records of the catalogue and the files they name. */
import { copyFile, rename, stat, unlink } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import type { ImageRecord } from '../catalog/image-record.ts'
import { SregistryError } from '../errors/sregistry-error.ts'
import { parseReference } from '../registry/reference.ts'
import { createAtomicFile } from '../storage/atomic-file.ts'
import { diskError, isDiskError } from '../storage/disk-error.ts'
import { checkFileName, imageNames } from '../storage/image-name.ts'
import { makePrivateDirectory } from '../storage/private-directory.ts'
import type { CallOptions } from './call-options.ts'
import type { ClientContext } from './client-context.ts'
import { type ImageInspection, readImageContents } from './image-inspection.ts'
import { tagOf } from './image-uri.ts'

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

  /** @throws {SregistryError} IMAGE_INVALID for a file that is no image; IMAGE_EXISTS; disk errors. */
  async add(path: string, name: string, options: AddOptions): Promise<ImageRecord> {
    const source = resolve(path)
    const contents = await readImageContents(source)
    const reference = parseReference(name)
    const { repository } = reference
    const uri = `local://${repository}:${tagOf(reference)}`
    const naming = { repository, tag: tagOf(reference), uri, format: contents.format }
    const storage = this.#context.settings.storage()
    await makePrivateDirectory(storage, 'storage')
    const target = join(storage, imageNames(naming).plain)
    await this.#refuseTaken(target, uri)
    await placeFile(source, target, options)
    const record: ImageRecord = {
      name: repository,
      tag: tagOf(reference),
      client: 'local',
      uri,
      path: target,
      sizeBytes: (await stat(target)).size,
      format: contents.format,
      pulled: new Date().toISOString(),
      labels: contents.labels ?? {},
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
    await this.#context.catalog.put(moved)
    return moved
  }

  async #refuseTaken(target: string, uri: string): Promise<void> {
    // what cannot be looked at is told by the move that follows
    if ((await stat(target).catch(() => undefined)) === undefined) return
    throw new SregistryError('IMAGE_EXISTS', `${target} exists`, {
      hint: `remove it first (sregistry rm ${uri}), or choose another name`,
    })
  }
}

/** Moves a file, or copies it where a rename cannot reach; never visible half done. */
async function placeFile(source: string, target: string, options: AddOptions): Promise<void> {
  if (!options.copy) {
    try {
      await rename(source, target)
      return
    } catch (error) {
      if (!isDiskError(error, 'EXDEV')) throw diskError(error, target, 'storage')
    }
  }
  const file = await createAtomicFile(target, { place: 'storage', mode: 0o755 })
  try {
    await copyFile(source, file.path).catch((error: unknown) => {
      throw diskError(error, target, 'storage')
    })
    await file.commit({ replace: false })
  } finally {
    await file.abort()
  }
  if (!options.copy) await unlink(source)
}
