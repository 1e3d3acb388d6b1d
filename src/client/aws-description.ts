/** All that ECR says of a repository or an image, in one record. */
import {
  describeImage,
  describeRepository,
  type EcrImage,
  listImages,
} from '../aws/repositories.ts'
import { type ScanFindings, scanFindings } from '../aws/scan-findings.ts'
import { isSregistryError } from '../errors/sregistry-error.ts'
import { formatDigest } from '../registry/digest.ts'
import { formatPlatform } from '../registry/platform.ts'
import type { Reference } from '../registry/reference.ts'
import { boundsOf, cannotBrowse, isDenied } from './aws-browsing.ts'
import { withNearRepositories } from './aws-failures.ts'
import type { AwsRegistry } from './aws-registries.ts'
import type { BrowseOptions } from './call-options.ts'
import { imageUri } from './image-uri.ts'
import type { RegistryAccess } from './registry-access.ts'
import type { Description } from './registry-facts.ts'

/**
 * A repository with its images, newest first.
 * @throws {SregistryError} NAME_UNKNOWN, ACCESS_DENIED …
 */
export async function repositoryDescription(
  registry: AwsRegistry,
  repository: string,
  options: BrowseOptions,
): Promise<Description> {
  const { controlPlane } = registry.connection
  const bounds = boundsOf(registry, options)
  try {
    const { isTagImmutable, ...facts } = await describeRepository(controlPlane, repository, bounds)
    const images: EcrImage[] = []
    for await (const image of listImages(controlPlane, repository, bounds)) images.push(image)
    const newest = images.sort((a, b) => timeOf(b.pushedAt) - timeOf(a.pushedAt))
    return {
      ...facts,
      immutableTags: isTagImmutable,
      imageCount: images.length,
      tagCount: images.reduce((sum, { tags }) => sum + tags.length, 0),
      sizeBytes: images.reduce((sum, { sizeBytes = 0 }) => sum + sizeBytes, 0),
      images: newest.map(({ digest, tags, sizeBytes, pushedAt }) => ({
        digest,
        tags,
        sizeBytes,
        pushedAt,
      })),
    }
  } catch (error) {
    throw await withNearRepositories(cannotBrowse(error, repository), registry, {
      repository,
      ...options,
    })
  }
}

function timeOf(date: Date | undefined): number {
  return date?.getTime() ?? 0
}

/**
 * An image: what the control plane has recorded, what its manifest and config say, and its scan. Who may
 * pull but not browse gets the second part, and is told about the first.
 * @throws {SregistryError} MANIFEST_UNKNOWN, NAME_UNKNOWN, ACCESS_DENIED of the data plane …
 */
export async function imageDescription(
  registry: AwsRegistry,
  access: RegistryAccess,
  options: BrowseOptions & { readonly onWarning: (text: string) => void },
): Promise<Description> {
  const { reference, host } = access
  // the manifest first: its error offers names that are near
  const found = await manifestFacts(access, options)
  const recorded = await recordedFacts(registry, reference, options)
  return {
    uri: imageUri('aws', host, reference),
    repository: reference.repository,
    ...found,
    ...recorded,
  }
}

async function manifestFacts(
  { client, reference }: RegistryAccess,
  options: BrowseOptions,
): Promise<Description> {
  const named = await client.manifest(reference, signalOf(options))
  const digest = formatDigest(named.digest)
  const { manifest } = named
  const platforms =
    manifest.kind === 'index'
      ? {
          platforms: manifest.manifests.flatMap(({ platform }) =>
            platform === undefined ? [] : [formatPlatform(platform)],
          ),
        }
      : {}
  return { digest, ...platforms, ...(await imageFacts({ client, reference }, options)) }
}

/** An index without this machine's platform and an artifact have no image to tell of. */
async function imageFacts(
  { client, reference }: Pick<RegistryAccess, 'client' | 'reference'>,
  options: BrowseOptions,
): Promise<Description> {
  try {
    const image = await client.resolve(reference, signalOf(options))
    return {
      platform: formatPlatform(image.platform),
      created: image.config.created,
      layers: image.layers.length,
      sizeBytes: image.layers.reduce((sum, layer) => sum + layer.sizeBytes, 0),
      labels: image.config.config.Labels,
    }
  } catch (error) {
    const isOther =
      isSregistryError(error) && ['PLATFORM_MISSING', 'NOT_AN_IMAGE'].includes(error.code)
    if (!isOther) throw error
    return { note: error.message }
  }
}

async function recordedFacts(
  registry: AwsRegistry,
  { repository, tag, digest }: Reference,
  options: BrowseOptions & { readonly onWarning: (text: string) => void },
): Promise<Description> {
  const { controlPlane } = registry.connection
  const bounds = boundsOf(registry, options)
  const name = digest === undefined ? { tag: tag ?? 'latest' } : { digest: formatDigest(digest) }
  try {
    const {
      sizeBytes,
      digest: _,
      ...image
    } = await describeImage(controlPlane, repository, name, bounds)
    const scan = await scanOf(() => scanFindings(controlPlane, repository, name, bounds))
    // the registry's own sum counts the config too; for an index it has none
    return { ...image, ...(sizeBytes === undefined ? {} : { sizeBytes }), scan }
  } catch (error) {
    if (!isDenied(error)) throw error
    options.onWarning(`dates, tags and scan are not shown, cannot browse: ${error.message}`)
    return {}
  }
}

async function scanOf(
  ask: () => Promise<ScanFindings>,
): Promise<ScanFindings | { status: string }> {
  try {
    return await ask()
  } catch (error) {
    if (!isDenied(error)) throw error
    return { status: 'NOT_ALLOWED' }
  }
}

function signalOf({ signal }: BrowseOptions): { signal?: AbortSignal } {
  return signal === undefined ? {} : { signal }
}
