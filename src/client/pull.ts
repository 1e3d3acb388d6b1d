/**
 * One pull: look the reference up, see whether it is here already, build the image, put it in place,
 * record it (DESIGN § 2, § 5).
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { ImageRecord } from '../catalog/image-record.ts'
import { throwIfCancelled } from '../errors/cancelled.ts'
import { SregistryError } from '../errors/sregistry-error.ts'
import type { ImageSource } from '../image/image-source.ts'
import { formatDigest } from '../registry/digest.ts'
import { formatPlatform, parsePlatform } from '../registry/platform.ts'
import type { LocatedManifest, ResolvedImage } from '../registry/registry-client.ts'
import { programVersion } from '../settings/version.ts'
import { type AtomicFile, createAtomicFile } from '../storage/atomic-file.ts'
import { makePrivateDirectory } from '../storage/private-directory.ts'
import type { PullOptions } from './call-options.ts'
import type { ClientContext } from './client-context.ts'
import { imageTitle, tagOf } from './image-uri.ts'
import type { PullInput } from './pull-input.ts'
import { choosePullTarget, type PullTarget } from './pull-target.ts'

/**
 * @returns the record of the image: in the catalogue, or only described when nothing is to be saved.
 * @throws {SregistryError} IMAGE_EXISTS when another image has the name; everything that resolving,
 *   building and writing throw.
 */
export async function pullImage(input: PullInput): Promise<ImageRecord> {
  const { access, options } = input
  const located = await access.client.locate(access.reference, {
    ...(options.platform === undefined ? {} : { platform: parsePlatform(options.platform) }),
    ...signalOf(options),
  })
  const target = await choosePullTarget({ ...input, digest: formatDigest(located.manifestDigest) })
  if (target.present !== undefined) {
    reportEnd(input, target, 'same')
    return target.present
  }
  return new Pull(input, target).run(located)
}

class Pull {
  readonly #input: PullInput
  readonly #target: PullTarget

  constructor(input: PullInput, target: PullTarget) {
    this.#input = input
    this.#target = target
  }

  async run(located: LocatedManifest): Promise<ImageRecord> {
    const { access, options } = this.#input
    // what cannot be written is said before anything is downloaded
    const file = await this.#createFile()
    try {
      const image = await access.client.resolve(located, signalOf(options))
      this.#reportResolved(image)
      const sizeBytes = await this.#build(image, file)
      throwIfCancelled(options.signal, 'the pull')
      await file.commit({ replace: true })
      const record = this.#recordOf(image, sizeBytes)
      if (this.#target.isStored) await this.#input.context.catalog.put(record)
      reportEnd(this.#input, this.#target, this.#target.replaced === undefined ? 'new' : 'update')
      return record
    } finally {
      await file.abort()
    }
  }

  async #createFile(): Promise<AtomicFile> {
    const { isStored, path } = this.#target
    if (isStored) await makePrivateDirectory(this.#input.context.settings.storage(), 'storage')
    return createAtomicFile(path, { place: isStored ? 'storage' : 'output', mode: 0o755 })
  }

  async #build(image: ResolvedImage, file: AtomicFile): Promise<number> {
    const { context, options } = this.#input
    const [{ buildImage }, { cachedLayers, temporaryLayers }, { layerCache }] = await Promise.all([
      import('../image/build-image.ts'),
      import('../image/layer-store.ts'),
      import('../storage/layer-cache.ts'),
    ])
    const { parameters, format, usesCache } = this.#target
    const work = await mkdtemp(join(await this.#workDirectory(), 'sregistry-'))
    try {
      return await buildImage(this.#sourceOf(image), file, {
        parameters,
        format,
        store: usesCache
          ? cachedLayers(layerCache(context.settings.cache()), parameters)
          : temporaryLayers(work),
        scratchPath: join(work, 'environment'),
        version: programVersion(),
        sourceDateEpoch: sourceDateEpoch(context.env),
        maxLayers: context.settings.count('SREGISTRY_PYTHON_THREADS') ?? 4,
        allRoot: options.allRoot ?? false,
        fixPermissions: options.fixPermissions ?? false,
        onEvent: (event) => options.onProgress?.(event),
        signal: options.signal,
      })
    } finally {
      await rm(work, { recursive: true, force: true })
    }
  }

  /** Layers that are not cached lie beside the image, where there must be room anyway. */
  async #workDirectory(): Promise<string> {
    const { settings } = this.#input.context
    const work =
      settings.path('SREGISTRY_TMPDIR') ??
      (this.#target.usesCache ? settings.work() : resolve(this.#target.path, '..'))
    await makePrivateDirectory(work, 'work')
    return work
  }

  #sourceOf(image: ResolvedImage): ImageSource {
    const { client, host, reference } = this.#input.access
    const { repository } = reference
    const digest = formatDigest(image.manifestDigest)
    return {
      // by digest, not by tag: the same image gives the same file under whatever tag it was found
      reference: `${host}/${repository}@${digest}`,
      manifestDigest: image.manifestDigest,
      config: image.config,
      layers: image.layers,
      openLayer: (layer, { signal, onProgress }) =>
        client.openBlob(repository, layer, { signal, onProgress }),
    }
  }

  #recordOf(image: ResolvedImage, sizeBytes: number): ImageRecord {
    const { client, access } = this.#input
    const { Entrypoint, Cmd, Env, Labels, WorkingDir } = image.config.config
    const { created } = image.config
    return {
      name: access.reference.repository,
      tag: tagOf(access.reference),
      client,
      uri: this.#target.uri,
      registry: access.host,
      digest: formatDigest(image.manifestDigest),
      ...(image.indexDigest === undefined ? {} : { indexDigest: formatDigest(image.indexDigest) }),
      platform: formatPlatform(image.platform),
      path: this.#target.path,
      sizeBytes,
      format: this.#target.format,
      compression: this.#target.compression,
      ...(created === undefined ? {} : { created }),
      pulled: new Date().toISOString(),
      labels: Labels,
      config: {
        entrypoint: Entrypoint,
        cmd: Cmd,
        envNames: Env.map((element) => element.split('=', 1)[0] ?? ''),
        ...(WorkingDir === undefined ? {} : { workingDir: WorkingDir }),
      },
    }
  }

  #reportResolved(image: ResolvedImage): void {
    const { access, options } = this.#input
    options.onProgress?.({
      type: 'resolved',
      name: imageTitle(access.reference),
      digest: formatDigest(image.manifestDigest),
      layers: image.layers.length,
      bytes: image.layers.reduce((sum, layer) => sum + layer.sizeBytes, 0),
    })
  }
}

type PullEnd = 'new' | 'same' | 'update'

function reportEnd({ access, options }: PullInput, target: PullTarget, end: PullEnd): void {
  if (target.isStored) {
    const text = `[container][${end}] ${imageTitle(access.reference)}`
    options.onProgress?.({ type: 'line', text })
  }
  options.onProgress?.({ type: 'line', text: `Success! ${target.shownPath}` })
}

/** @throws {SregistryError} SETTING_INVALID @see reproducible-builds.org, SOURCE_DATE_EPOCH */
function sourceDateEpoch(env: ClientContext['env']): number | undefined {
  const text = env['SOURCE_DATE_EPOCH']
  if (text === undefined || text === '') return undefined
  if (/^\d{1,10}$/.test(text)) return Number(text)
  throw new SregistryError('SETTING_INVALID', `SOURCE_DATE_EPOCH is "${text.slice(0, 40)}"`, {
    hint: 'it is a number of seconds since 1970, or unset it',
  })
}

function signalOf({ signal }: PullOptions): { signal?: AbortSignal } {
  return signal === undefined ? {} : { signal }
}
