/**
 * What the control plane knows of repositories and images. Lists are async iterables that follow the
 * pages to the end, one page ahead of the reader at most; leaving the loop stops asking.
 * @see REGISTRY § 1.1
 */
import type {
  ECRClient,
  ImageDetail as SdkImageDetail,
  Repository as SdkRepository,
} from '@aws-sdk/client-ecr'
import { SregistryError } from '../errors/sregistry-error.ts'
import type { EcrControlPlane, Sdk } from './ecr-client.ts'

/** ECR's own upper bound of a page. */
const pageSize = 1000

export type ControlPlaneOptions = {
  /** Account of the registry. Default: the caller's own. */
  readonly registryId?: string
  readonly signal?: AbortSignal
}

export type EcrRepository = {
  readonly name: string
  readonly uri: string
  readonly arn: string
  /** Account of the registry. */
  readonly registryId: string
  readonly createdAt: Date | undefined
  readonly isTagImmutable: boolean
  readonly scanOnPush: boolean
  readonly encryption: string
}

export type EcrImage = {
  readonly digest: string
  /** Empty when untagged. */
  readonly tags: readonly string[]
  /** Sum of the compressed layers; absent for an index. */
  readonly sizeBytes: number | undefined
  readonly pushedAt: Date | undefined
  readonly lastPulledAt: Date | undefined
  readonly mediaType: string | undefined
  readonly artifactType: string | undefined
  /** `ACTIVE`, `ARCHIVED`, `ACTIVATING`: archived images must be restored before a pull. */
  readonly status: string | undefined
}

/** All repositories of a registry, in ECR's order. */
export async function* listRepositories(
  controlPlane: EcrControlPlane,
  options: ControlPlaneOptions = {},
): AsyncGenerator<EcrRepository> {
  const input = registryInput(options)
  yield* pages(controlPlane, 'DescribeRepositories', options, async (client, sdk, nextToken) => {
    const command = new sdk.DescribeRepositoriesCommand({
      ...input,
      ...nextToken,
      maxResults: pageSize,
    })
    const answer = await client.send(command, abort(options))
    return { items: answer.repositories?.map(repositoryOf) ?? [], nextToken: answer.nextToken }
  })
}

/**
 * One repository.
 * @throws {SregistryError} NAME_UNKNOWN, ACCESS_DENIED …
 */
export async function describeRepository(
  controlPlane: EcrControlPlane,
  name: string,
  options: ControlPlaneOptions = {},
): Promise<EcrRepository> {
  const input = { ...registryInput(options), repositoryNames: [name] }
  const { repositories } = await controlPlane.call({
    operation: 'DescribeRepositories',
    context: contextOf(name, options),
    run: (client, sdk) => client.send(new sdk.DescribeRepositoriesCommand(input), abort(options)),
    ...abortable(options),
  })
  const [found] = repositories ?? []
  if (found !== undefined) return repositoryOf(found)
  throw new SregistryError('PROTOCOL_ERROR', `ECR did not describe the repository ${name}`)
}

export type TagListOptions = ControlPlaneOptions & {
  /** `ANY`: also those of archived images, which cannot be pulled. Default: only of active ones. */
  readonly imageStatus?: 'ANY'
}

/** All tags of a repository, each with its digest: ListImages, the cheapest list there is. */
export async function* listTags(
  controlPlane: EcrControlPlane,
  repository: string,
  options: TagListOptions = {},
): AsyncGenerator<{ readonly tag: string; readonly digest: string | undefined }> {
  const input = { ...registryInput(options), repositoryName: repository }
  const { imageStatus, ...settings } = { ...options, repository }
  yield* pages(controlPlane, 'ListImages', settings, async (client, sdk, nextToken) => {
    const filter = { tagStatus: 'TAGGED' as const, ...(imageStatus && { imageStatus }) }
    const command = new sdk.ListImagesCommand({
      ...input,
      ...nextToken,
      filter,
      maxResults: pageSize,
    })
    const answer = await client.send(command, abort(options))
    const items = (answer.imageIds ?? []).flatMap(({ imageTag: tag, imageDigest: digest }) =>
      tag === undefined ? [] : [{ tag, digest }],
    )
    return { items, nextToken: answer.nextToken }
  })
}

/** All images of a repository, tagged or not, in ECR's order (not by date). */
export async function* listImages(
  controlPlane: EcrControlPlane,
  repository: string,
  options: ControlPlaneOptions = {},
): AsyncGenerator<EcrImage> {
  const input = { ...registryInput(options), repositoryName: repository }
  const settings = { ...options, repository }
  yield* pages(controlPlane, 'DescribeImages', settings, async (client, sdk, nextToken) => {
    const command = new sdk.DescribeImagesCommand({ ...input, ...nextToken, maxResults: pageSize })
    const answer = await client.send(command, abort(options))
    return { items: (answer.imageDetails ?? []).map(imageOf), nextToken: answer.nextToken }
  })
}

/** A tag or a digest; both must then name the same image. */
export type ImageName = { readonly tag?: string; readonly digest?: string }

/**
 * One image.
 * @throws {SregistryError} MANIFEST_UNKNOWN, NAME_UNKNOWN, ACCESS_DENIED …
 */
export async function describeImage(
  controlPlane: EcrControlPlane,
  repository: string,
  image: ImageName,
  options: ControlPlaneOptions = {},
): Promise<EcrImage> {
  const input = {
    ...registryInput(options),
    repositoryName: repository,
    imageIds: [imageId(image)],
  }
  const { imageDetails } = await controlPlane.call({
    operation: 'DescribeImages',
    context: contextOf(repository, options, image),
    run: (client, sdk) => client.send(new sdk.DescribeImagesCommand(input), abort(options)),
    ...abortable(options),
  })
  const [found] = imageDetails ?? []
  if (found !== undefined) return imageOf(found)
  throw new SregistryError('PROTOCOL_ERROR', `ECR did not describe ${repository}`)
}

export type CreatedRepository = {
  readonly repository: EcrRepository
  /** False when it was there already: that is no failure. */
  readonly isNew: boolean
}

/**
 * Makes a repository, with ECR's defaults (mutable tags, AES-256).
 * @throws {SregistryError} ACCESS_DENIED, USAGE for a name that ECR does not allow …
 */
export async function createRepository(
  controlPlane: EcrControlPlane,
  name: string,
  options: ControlPlaneOptions = {},
): Promise<CreatedRepository> {
  const input = { ...registryInput(options), repositoryName: name }
  try {
    const { repository } = await controlPlane.call({
      operation: 'CreateRepository',
      context: contextOf(name, options),
      run: (client, sdk) => client.send(new sdk.CreateRepositoryCommand(input), abort(options)),
      ...abortable(options),
    })
    return { repository: repositoryOf(repository ?? {}), isNew: true }
  } catch (error) {
    if (!(error instanceof SregistryError) || error.code !== 'REPOSITORY_EXISTS') throw error
    return { repository: await describeRepository(controlPlane, name, options), isNew: false }
  }
}

/**
 * The account of the caller's own registry.
 * @throws {SregistryError} ACCESS_DENIED when `ecr:DescribeRegistry` is not allowed …
 */
export async function ownRegistryId(
  controlPlane: EcrControlPlane,
  signal?: AbortSignal,
): Promise<string> {
  const { registryId } = await controlPlane.call({
    operation: 'DescribeRegistry',
    run: (client, sdk) => client.send(new sdk.DescribeRegistryCommand({}), abort({ signal })),
    ...abortable({ signal }),
  })
  if (registryId !== undefined) return registryId
  throw new SregistryError('PROTOCOL_ERROR', 'ECR did not name the registry')
}

type Page<Item> = { readonly items: readonly Item[]; readonly nextToken: string | undefined }
type PageSettings = Abortable & { readonly registryId?: string; readonly repository?: string }

async function* pages<Item>(
  controlPlane: EcrControlPlane,
  operation: string,
  settings: PageSettings,
  read: (client: ECRClient, sdk: Sdk, nextToken: { nextToken?: string }) => Promise<Page<Item>>,
): AsyncGenerator<Item> {
  const seen = new Set<string>()
  let nextToken: string | undefined
  do {
    const from = nextToken === undefined ? {} : { nextToken }
    const page = await controlPlane.call({
      operation,
      context: contextOf(settings.repository, settings),
      run: (client, sdk) => read(client, sdk, from),
      ...abortable(settings),
    })
    yield* page.items
    nextToken = page.nextToken
    if (nextToken !== undefined && seen.has(nextToken)) {
      throw new SregistryError('PROTOCOL_ERROR', `${operation} gave the same page twice`)
    }
    if (nextToken !== undefined) seen.add(nextToken)
  } while (nextToken !== undefined)
}

type Abortable = { readonly signal?: AbortSignal | undefined }

function abort({ signal }: Abortable): { abortSignal?: AbortSignal } {
  return signal === undefined ? {} : { abortSignal: signal }
}

function abortable({ signal }: Abortable): { signal?: AbortSignal } {
  return signal === undefined ? {} : { signal }
}

function registryInput({ registryId }: ControlPlaneOptions): { registryId?: string } {
  return registryId === undefined ? {} : { registryId }
}

/** What errors of calls about this repository or image say. */
export function contextOf(
  repository: string | undefined,
  { registryId }: { readonly registryId?: string },
  image?: ImageName,
): { repository?: string; account?: string; image?: string } {
  const named = image?.tag ?? image?.digest
  return {
    ...(repository === undefined ? {} : { repository }),
    ...(registryId === undefined ? {} : { account: registryId }),
    ...(named === undefined ? {} : { image: named }),
  }
}

/** ECR's form of an image's name. */
export function imageId({ tag, digest }: ImageName): { imageTag?: string; imageDigest?: string } {
  return {
    ...(tag === undefined ? {} : { imageTag: tag }),
    ...(digest === undefined ? {} : { imageDigest: digest }),
  }
}

function repositoryOf(repository: SdkRepository): EcrRepository {
  return {
    name: repository.repositoryName ?? '',
    uri: repository.repositoryUri ?? '',
    arn: repository.repositoryArn ?? '',
    registryId: repository.registryId ?? '',
    createdAt: repository.createdAt,
    isTagImmutable: repository.imageTagMutability?.startsWith('IMMUTABLE') ?? false,
    scanOnPush: repository.imageScanningConfiguration?.scanOnPush ?? false,
    encryption: repository.encryptionConfiguration?.encryptionType ?? 'AES256',
  }
}

function imageOf(image: SdkImageDetail): EcrImage {
  return {
    digest: image.imageDigest ?? '',
    tags: image.imageTags ?? [],
    sizeBytes: image.imageSizeInBytes,
    pushedAt: image.imagePushedAt,
    lastPulledAt: image.lastRecordedPullTime,
    mediaType: image.imageManifestMediaType,
    artifactType: image.artifactMediaType,
    status: image.imageStatus,
  }
}
