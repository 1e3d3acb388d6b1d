/**
 * One pull: look the reference up, see whether it is here already, build the image, put it in place,
 * record it (DESIGN § 2, § 5).
 */
import { join, resolve } from 'node:path'
import type { ImageRecord } from '../catalog/image-record.ts'
import { throwIfCancelled } from '../errors/cancelled.ts'
import { isSregistryError, SregistryError } from '../errors/sregistry-error.ts'
import type { BegunImage } from '../image/begun-image.ts'
import type { ImageSource } from '../image/image-source.ts'
import type { Ownership } from '../image/tree/ownership.ts'
import { formatDigest } from '../registry/digest.ts'
import { fitsPlatform, formatPlatform, parsePlatform } from '../registry/platform.ts'
import type { LocatedImage, LocatedManifest, ResolvedImage } from '../registry/registry-client.ts'
import { programVersion } from '../settings/version.ts'
import type { AtomicFile } from '../storage/atomic-file.ts'
import type { PullOptions } from './call-options.ts'
import { imageTitle, sourceName } from './image-uri.ts'
import { makingOptions } from './making-options.ts'
import { MakingReady, repositoryOf } from './making-ready.ts'
import type { PullInput } from './pull-input.ts'
import { choosePullTarget, type PullTarget } from './pull-target.ts'
import { pulledRecord } from './pulled-record.ts'

/** How often a name may be taken by others while the image is made. */
const maxRounds = 3

/**
 * @returns the record of the image: in the catalogue, or only described when nothing is to be saved.
 * @throws {SregistryError} IMAGE_EXISTS when another image has the name; everything that resolving,
 *   building and writing throw.
 */
export async function pullImage(input: PullInput): Promise<ImageRecord> {
  const ready = new MakingReady(input)
  void ready.begin()
  try {
    return await pullWith(ready, input)
  } finally {
    // nobody has to wait for threads to end
    void ready.end()
  }
}

async function pullWith(ready: MakingReady, input: PullInput): Promise<ImageRecord> {
  const { access, options } = input
  const located = await access.client.locate(access.reference, {
    ...(options.platform === undefined ? {} : { platform: parsePlatform(options.platform) }),
    ...signalOf(options),
  })
  const digest = formatDigest(located.manifestDigest)
  for (let round = 1; round <= maxRounds; round++) {
    const target = await choosePullTarget({ ...input, digest })
    if (target.present !== undefined) {
      reportEnd(input, target, 'same')
      return target.present
    }
    const record = await new Pull(input, target, ready).run(located)
    // another process was first to the name: what it put there decides what comes next
    if (record !== undefined) return record
    await ready.endThreads()
  }
  throw new SregistryError('IMAGE_EXISTS', 'other processes keep taking the name of the image', {
    hint: 'run it again, or choose a name with --name',
  })
}

class Pull {
  readonly #input: PullInput
  readonly #target: PullTarget
  readonly #ready: MakingReady

  constructor(input: PullInput, target: PullTarget, ready: MakingReady) {
    this.#input = input
    this.#target = target
    this.#ready = ready
  }

  /** @returns undefined when another process has taken the name meanwhile. */
  async run(located: LocatedManifest): Promise<ImageRecord | undefined> {
    this.#reportChange(formatDigest(located.manifestDigest))
    void this.#ready.threads()
    // what cannot be written is said before anything is downloaded
    const file = await this.#createFile()
    try {
      return await this.#make(located, file)
    } finally {
      await file.abort()
    }
  }

  async #make(located: LocatedManifest, file: AtomicFile): Promise<ImageRecord | undefined> {
    const { access, options } = this.#input
    const named = await access.client.readManifest(located, signalOf(options))
    const beginning = this.#begin(named, file)
    try {
      const [image, begun] = await Promise.all([
        access.client.resolve(named, signalOf(options)),
        beginning,
      ])
      this.#reportResolved(image)
      this.#reportPlatform(image, located)
      const sizeBytes = await this.#build(image, file, begun)
      throwIfCancelled(options.signal, 'the pull')
      if (!(await this.#place(file))) return undefined
      const record = pulledRecord(this.#input, this.#target, image, sizeBytes)
      await this.#save(record)
      reportEnd(this.#input, this.#target, this.#target.replaced === undefined ? 'new' : 'update')
      return record
    } catch (error) {
      const begun = await beginning.catch(() => undefined)
      await begun?.close()
      throw error
    }
  }

  /** How long a SIF's prefix is depends on the config: that is begun when it is there. */
  async #begin({ image }: LocatedImage, file: AtomicFile): Promise<BegunImage | undefined> {
    const { BegunImage, layerCache, layoutMemory } = await this.#ready.modules()
    const { context, access, options } = this.#input
    const { parameters, format, usesCache } = this.#target
    if (format !== 'squashfs' || !usesCache) return undefined
    return BegunImage.begin(file, {
      compose: { parameters, outputPath: file.path, base: 0, ...ownershipOf(options) },
      repository: repositoryOf(access),
      layers: image.manifest.layers,
      memory: layoutMemory(layerCache(context.settings.cache()), parameters),
      threads: await this.#ready.threads(),
      onNote: (text) => options.onProgress?.({ type: 'note', text }),
      signal: options.signal,
    })
  }

  async #createFile(): Promise<AtomicFile> {
    const { isStored, path } = this.#target
    const [{ createAtomicFile }, { makePrivateDirectory }, { removeAbandonedFiles }] =
      await Promise.all([
        import('../storage/atomic-file.ts'),
        import('../storage/private-directory.ts'),
        import('../storage/abandoned-files.ts'),
      ])
    if (isStored) await makePrivateDirectory(this.#input.context.settings.storage(), 'storage')
    await removeAbandonedFiles(resolve(path, '..'))
    return createAtomicFile(path, { place: isStored ? 'storage' : 'output', mode: 0o755 })
  }

  /** Whether the file has its name now, or another process was first with the same bytes. */
  async #place(file: AtomicFile): Promise<boolean> {
    const { path, mayReplace } = this.#target
    if (mayReplace) return (await file.commit({ replace: true })) === 'committed'
    // a published file keeps its own name, by which it can be compared
    const outcome = await file.publish()
    if (outcome === 'committed') return true
    const { haveSameBytes } = await import('../storage/same-bytes.ts')
    if (await haveSameBytes(file.path, path)) return true
    return outcome === 'unsupported' && (await file.commit({ replace: false })) === 'committed'
  }

  /** @throws {SregistryError} saying where the image is, when the catalogue cannot take it. */
  async #save(record: ImageRecord): Promise<void> {
    const { isStored, displaced } = this.#target
    if (!isStored) return
    const { catalog } = this.#input.context
    try {
      await catalog.put(record)
      if (displaced !== undefined) await catalog.remove(displaced)
    } catch (cause) {
      throw notRecorded(record, cause)
    }
  }

  async #build(
    image: ResolvedImage,
    file: AtomicFile,
    begun: BegunImage | undefined,
  ): Promise<number> {
    const { context, options } = this.#input
    const { buildImage, cachedLayers, temporaryLayers, layerCache, withWork } =
      await this.#ready.modules()
    const { parameters, format, usesCache } = this.#target
    const threads = await this.#ready.threads()
    return withWork(this.#workParent(), 'work', (work) =>
      buildImage(this.#sourceOf(image), file, {
        parameters,
        format,
        store: usesCache
          ? cachedLayers(layerCache(context.settings.cache()), parameters, {
              fallback: temporaryLayers(work),
              onNote: (text) => options.onProgress?.({ type: 'note', text }),
            })
          : temporaryLayers(work),
        scratchPath: join(work, 'environment'),
        version: programVersion(),
        sourceDateEpoch: makingOptions(options, context.env).sourceDateEpoch,
        maxLayers: context.settings.count('SREGISTRY_PYTHON_THREADS') ?? 4,
        ...ownershipOf(options),
        onEvent: (event) => options.onProgress?.(event),
        signal: options.signal,
        begun,
        threads,
      }),
    )
  }

  /** Layers that are not cached lie beside the image, where there must be room anyway. */
  #workParent(): string {
    const { settings } = this.#input.context
    const { usesCache, path } = this.#target
    return settings.path('SREGISTRY_TMPDIR') ?? (usesCache ? settings.work() : resolve(path, '..'))
  }

  #sourceOf(image: ResolvedImage): ImageSource {
    const { access } = this.#input
    const { client, host } = access
    const { repository } = access.reference
    const digest = formatDigest(image.manifestDigest)
    return {
      reference: sourceName(host, repository, digest),
      repository: repositoryOf(access),
      manifestDigest: image.manifestDigest,
      config: image.config,
      layers: image.layers,
      openLayer: (layer, { signal, onProgress }) =>
        client.openBlob(repository, layer, { signal, onProgress }),
    }
  }

  /** An image without an index is taken as it is, also when it is for another machine. */
  #reportPlatform({ platform }: ResolvedImage, located: LocatedManifest): void {
    if (fitsPlatform(platform, located.platform)) return
    const [offered, wanted] = [formatPlatform(platform), formatPlatform(located.platform)]
    const text = `the image is for ${offered}, not for ${wanted}; there is no other under this name`
    this.#input.options.onProgress?.({ type: 'note', text })
  }

  /** A forced pull says what it replaces: a running job may still have the old file open. */
  #reportChange(digest: string): void {
    const { replaced } = this.#target
    if (replaced?.digest === undefined || replaced.digest === digest) return
    const title = imageTitle(this.#input.access.reference)
    const text = `${title} was ${replaced.digest}, is now ${digest}`
    this.#input.options.onProgress?.({ type: 'note', text })
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

/** The image is whole and stays: only the catalogue does not know it (FAULTS § 2, B1). */
function notRecorded({ path, uri }: ImageRecord, cause: unknown): SregistryError {
  const [name] = uri.split('#')
  const why = isSregistryError(cause) ? cause.message : 'the catalogue failed'
  return new SregistryError(
    isSregistryError(cause) ? cause.code : 'DATABASE',
    `the image is at ${path} but could not be recorded: ${why}`,
    { hint: `record it: sregistry add --name ${name} ${path}`, cause },
  )
}

function ownershipOf({ allRoot = false, fixPermissions = false }: PullOptions): Ownership {
  return { allRoot, fixPermissions }
}

function signalOf({ signal }: PullOptions): { signal?: AbortSignal } {
  return signal === undefined ? {} : { signal }
}
