/** The ladder of aws/doctor.ts with what it needs of the parts beside it, and what may be mended. */
import { runDoctor } from '../aws/doctor.ts'
import type { DoctorProbes, RungResult } from '../aws/doctor-case.ts'
import { fixFindings } from '../aws/doctor-fix.ts'
import { formatDigest } from '../registry/digest.ts'
import { parseEcrAddress } from '../registry/ecr-host.ts'
import { type Index, type Manifest, requireImage } from '../registry/manifest.ts'
import { formatPlatform } from '../registry/platform.ts'
import { formatReference, type Reference } from '../registry/reference.ts'
import type { LocatedManifest } from '../registry/registry-client.ts'
import { addBackendSetting } from '../settings/backend-settings.ts'
import { updateSettingsFile } from '../settings/settings-file-update.ts'
import type { AwsAccess, AwsRegistries } from './aws-registries.ts'
import type { DoctorOptions } from './call-options.ts'
import type { ClientContext } from './client-context.ts'
import type { DoctorRung, DoctorStep } from './doctor-run.ts'
import { probeStorage } from './storage-probe.ts'

export type AwsExamination = {
  readonly context: ClientContext
  readonly registries: AwsRegistries
  /** The image that was asked for. */
  readonly reference: Reference | undefined
  /** Settings that were given for this run, by their names in the environment; never a secret. */
  readonly told: Readonly<Record<string, string>>
  readonly options: DoctorOptions
}

/** Climbs the ladder, then mends what was asked for, then looks again at what that changed. */
export async function* examineAws(examination: AwsExamination): AsyncGenerator<DoctorStep> {
  const results: RungResult[] = []
  for await (const result of climb(examination)) {
    results.push(result)
    yield { type: 'rung', rung: shownRung(result) }
  }
  const mends = await mend(examination, results)
  for (const text of mends) yield { type: 'fixed', text }
  if (!mends.some((text) => text.startsWith('created'))) return
  for await (const result of climb(examination)) {
    if (['repositories', 'image', 'layers'].includes(result.key)) {
      yield { type: 'rung', rung: shownRung(result) }
    }
  }
}

function climb(examination: AwsExamination): AsyncGenerator<RungResult> {
  const { context, reference, registries, options } = examination
  return runDoctor({
    open: () => registries.at(reference?.registry),
    probes: new Probes(examination).probes(),
    env: context.env,
    ...(reference === undefined ? {} : { repository: reference.repository }),
    ...signalOf(options),
  })
}

/** The doctor's probes; what one found the next one uses. */
class Probes {
  readonly #examination: AwsExamination
  #located: LocatedManifest | undefined
  #layers: Manifest['layers'] | undefined
  #access: Promise<AwsAccess> | undefined

  constructor(examination: AwsExamination) {
    this.#examination = examination
  }

  probes(): DoctorProbes {
    const always: DoctorProbes = {
      ping: async (signal) => (await this.#open(signal)).client.ping(asOptions(signal)),
      storage: (signal) => this.#storage(signal),
    }
    if (this.#examination.reference === undefined) return always
    return {
      ...always,
      image: (signal) => this.#lookUp(signal),
      firstLayerByte: (signal) => this.#readFirstByte(signal),
    }
  }

  #open(signal: AbortSignal | undefined): Promise<AwsAccess> {
    const { reference, registries } = this.#examination
    this.#access ??= registries.access(reference ?? { repository: 'ping' }, asOptions(signal))
    return this.#access
  }

  /** The manifest alone: the config is kept where the layers are, so what keeps it away is rung 8's to tell. */
  async #lookUp(signal: AbortSignal | undefined) {
    const { client, reference } = await this.#open(signal)
    const located = await client.locate(reference, asOptions(signal))
    const { manifestDigest: digest, indexDigest, platform } = located
    const { manifest } =
      located.image ?? (await client.manifest({ ...reference, digest }, asOptions(signal)))
    this.#located = located
    this.#layers = layersOf(manifest, formatReference(reference))
    return {
      digest: formatDigest(digest),
      ...(indexDigest === undefined ? {} : { platform: formatPlatform(platform) }),
      sizeBytes: sizeOf(this.#layers),
      layers: this.#layers.length,
    }
  }

  /** The smallest layer: its first chunk proves the way, and most of it may come before we can stop. */
  async #readFirstByte(signal: AbortSignal | undefined) {
    const access = await this.#open(signal)
    const image = await access.client.resolve(this.#located ?? access.reference, asOptions(signal))
    const platform = formatPlatform(image.platform)
    const [layer] = [...image.layers].sort((a, b) => a.sizeBytes - b.sizeBytes)
    if (layer === undefined) return { host: `${access.host} (the image has no layers)`, platform }
    const { repository } = access.reference
    for await (const _chunk of access.client.openBlob(repository, layer, asOptions(signal))) break
    return { host: access.lastBlobHost() ?? access.host, platform }
  }

  #storage(signal: AbortSignal | undefined): Promise<string> {
    const neededBytes = this.#layers === undefined ? leastRoomBytes : 2 * sizeOf(this.#layers)
    return probeStorage(this.#examination.context, { neededBytes, signal })
  }
}

/** Less than this and hardly any image fits. */
const leastRoomBytes = 100e6

/** Of an index where the platform's manifest should be, rung 8 tells. */
function layersOf(manifest: Manifest | Index, what: string): Manifest['layers'] {
  if (manifest.kind === 'index') return []
  requireImage(manifest, what)
  return manifest.layers
}

function sizeOf(layers: Manifest['layers']): number {
  return layers.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
}

async function mend(
  { context, registries, reference, told, options }: AwsExamination,
  results: readonly RungResult[],
): Promise<readonly string[]> {
  const { fix = false, create = false } = options
  // without its settings nothing can be reached, and the first rung has said so
  const isUnsettled = results.some(({ key, status }) => key === 'settings' && status === 'failed')
  if (isUnsettled || (!fix && !create)) return []
  const registry = registries.at(reference?.registry)
  return fixFindings({
    results,
    connection: registry.connection,
    ...(registry.account === undefined ? {} : { registryId: registry.account }),
    ...(create && reference !== undefined ? { createRepository: reference.repository } : {}),
    ...(fix ? { settings: { ...learned(registries, reference, results), ...told } } : {}),
    saveSettings: (settings) => keepSettings(context, settings),
    ...signalOf(options),
  })
}

/**
 * A host in the reference tells account and region, where no setting does: one visit to another's registry
 * must not become the default. What AWS has not taken is not kept.
 */
function learned(
  registries: AwsRegistries,
  reference: Reference | undefined,
  results: readonly RungResult[],
): Readonly<Record<string, string>> {
  const isTaken = results.some(({ key, status }) => key === 'token' && status === 'ok')
  const named = parseEcrAddress(reference?.registry ?? '')
  if (!isTaken || named === undefined) return {}
  const own = registries.settings(undefined)
  const isOwnRegion = (own.region?.value ?? named.region) === named.region
  if (own.account !== undefined || !isOwnRegion) return {}
  return {
    SREGISTRY_AWS_ID: named.account,
    ...(own.region === undefined ? { SREGISTRY_AWS_ZONE: named.region } : {}),
  }
}

async function keepSettings(
  { settings: { file } }: ClientContext,
  settings: Readonly<Record<string, string>>,
): Promise<void> {
  await updateSettingsFile(file, (document) =>
    Object.entries(settings).reduce(
      (changed, [name, value]) =>
        addBackendSetting(changed, 'aws', name, value, { force: true }).document,
      document,
    ),
  )
}

function shownRung({ title, mend: hint, ...rest }: RungResult): DoctorRung {
  const { rung, key, ...finding } = rest
  return { rung, key, name: title, ...finding, ...(hint === undefined ? {} : { hint }) }
}

function asOptions(signal: AbortSignal | undefined): { signal?: AbortSignal } {
  return signal === undefined ? {} : { signal }
}

function signalOf({ signal }: DoctorOptions): { signal?: AbortSignal } {
  return asOptions(signal)
}
