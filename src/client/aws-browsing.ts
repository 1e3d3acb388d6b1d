/** Looking around in an ECR registry: repositories, tags, search. Lists go to the end, page by page. */
import {
  type ControlPlaneOptions,
  createRepository,
  listRepositories,
  listTags,
} from '../aws/repositories.ts'
import { callerNamedIn } from '../aws/who-am-i.ts'
import { isSregistryError, SregistryError } from '../errors/sregistry-error.ts'
import { parseEcrAddress } from '../registry/ecr-host.ts'
import { formatReference } from '../registry/reference.ts'
import { withNearRepositories } from './aws-failures.ts'
import type { AwsRegistry } from './aws-registries.ts'
import type { BrowseOptions } from './call-options.ts'
import { isGlob, type NamePattern, namePattern } from './name-pattern.ts'
import type { RemoteImage, RepositorySummary } from './registry-facts.ts'

/** @param pattern With `*` and `?`, or a part of the name. */
export async function* browseRepositories(
  registry: AwsRegistry,
  pattern: string | undefined,
  options: BrowseOptions,
): AsyncGenerator<RepositorySummary> {
  const fits = namePattern(pattern)
  const all = listRepositories(registry.connection.controlPlane, boundsOf(registry, options))
  for await (const { name, createdAt, isTagImmutable, uri } of browsing(all, 'repositories')) {
    if (fits(name)) yield { name, createdAt, immutableTags: isTagImmutable, uri }
  }
}

/**
 * Tags by ListImages, the cheapest list there is; by `/v2/` where that is forbidden.
 * @param fallBack The data plane's list.
 */
export async function* browseTags(
  registry: AwsRegistry,
  repository: string,
  options: BrowseOptions,
  fallBack: () => Promise<AsyncIterable<string>>,
): AsyncGenerator<string> {
  const { controlPlane } = registry.connection
  let count = 0
  try {
    for await (const { tag } of listTags(controlPlane, repository, boundsOf(registry, options))) {
      count += 1
      yield tag
    }
  } catch (error) {
    // a list that has begun cannot be continued by another that may have another order
    if (!isDenied(error) || count > 0 || isForeign(registry, options, error)) {
      throw await withNearRepositories(error, registry, { repository, ...options })
    }
    yield* browsing(await fallBack(), `the tags of ${repository}`)
  }
}

/**
 * Whether another account's registry is asked than the one at the host, whose `/v2/` knows nothing of it.
 * A host set by hand may be anybody's: it counts as the caller's, whom the refusal names.
 */
function isForeign(
  { settings, account }: AwsRegistry,
  { registryId }: BrowseOptions,
  refusal: SregistryError,
): boolean {
  if (registryId !== undefined && registryId !== settings.account?.value) return true
  const host = settings.registryHost?.value
  if (account === undefined || host === undefined) return false
  const owner = parseEcrAddress(host)?.account ?? callerNamedIn(refusal)
  return owner !== account
}

/** Repositories whose tags are asked for at the same time. */
const maxTagLists = 8

export type SearchOptions = BrowseOptions & {
  /** `host[:port]` for the references of what is found. */
  readonly host: string
  /** Told of repositories whose tags may not be listed. */
  readonly onWarning: (text: string) => void
}

/**
 * Every tag that fits, repository by repository in ECR's order.
 * @param query A part of `repository:tag`; with `*` or `?` all of the repository, or with a colon all of
 *   `repository:tag`.
 */
export async function* searchImages(
  registry: AwsRegistry,
  query: string | undefined,
  options: SearchOptions,
): AsyncGenerator<RemoteImage> {
  const { repository: repositoryFits, image: imageFits } = searchPatterns(query)
  const bounds = boundsOf(registry, options)
  const { controlPlane } = registry.connection
  const waiting: Promise<readonly RemoteImage[]>[] = []
  const tagsOf = async (repository: string): Promise<readonly RemoteImage[]> => {
    try {
      const found: RemoteImage[] = []
      for await (const { tag, digest } of listTags(
        controlPlane,
        repository,
        withOwnSignal(bounds),
      )) {
        if (!imageFits(`${repository}:${tag}`)) continue
        const reference = { scheme: 'aws', registry: options.host, repository, tag } as const
        found.push({ repository, tag, digest, uri: formatReference(reference) })
      }
      return found
    } catch (error) {
      if (!isDenied(error)) throw error
      options.onWarning(`not searched: ${error.message}`)
      return []
    }
  }
  for await (const { name } of browsing(listRepositories(controlPlane, bounds), 'repositories')) {
    if (!repositoryFits(name)) continue
    waiting.push(settledLater(tagsOf(name)))
    if (waiting.length >= maxTagLists) yield* (await waiting.shift()) ?? []
  }
  for (const found of waiting) yield* await found
}

/** So many lists at once listen to one signal that Node took it for a leak (MaxListenersExceededWarning). */
function withOwnSignal(bounds: ControlPlaneOptions): ControlPlaneOptions {
  return bounds.signal === undefined
    ? bounds
    : { ...bounds, signal: AbortSignal.any([bounds.signal]) }
}

/** Its failure is told when it is awaited; until then it must not count as unhandled. */
function settledLater<Value>(work: Promise<Value>): Promise<Value> {
  work.catch(() => undefined)
  return work
}

function searchPatterns(query: string | undefined): {
  readonly repository: NamePattern
  readonly image: NamePattern
} {
  const everything = (): boolean => true
  if (query === undefined || !isGlob(query)) {
    return { repository: everything, image: namePattern(query) }
  }
  const [repository = '', tag] = query.split(':', 2)
  if (tag === undefined) return { repository: namePattern(query), image: everything }
  // without a wildcard of its own the part before the colon is a whole name
  const named = isGlob(repository) ? namePattern(repository) : (name: string) => name === repository
  return { repository: named, image: namePattern(query) }
}

/** @throws {SregistryError} ACCESS_DENIED, USAGE … */
export async function makeRepository(
  registry: AwsRegistry,
  name: string,
  options: BrowseOptions,
): Promise<RepositorySummary> {
  const { controlPlane } = registry.connection
  const made = await createRepository(controlPlane, name, boundsOf(registry, options))
  const { isTagImmutable, ...facts } = made.repository
  return { ...facts, immutableTags: isTagImmutable, isNew: made.isNew }
}

export function boundsOf(
  { account }: Pick<AwsRegistry, 'account'>,
  { signal }: Pick<BrowseOptions, 'signal'>,
): ControlPlaneOptions {
  return {
    ...(account === undefined ? {} : { registryId: account }),
    ...(signal === undefined ? {} : { signal }),
  }
}

/** A refusal of Describe… or List… means that one cannot browse: pulling may be allowed all the same. */
export function cannotBrowse(error: unknown, what: string): unknown {
  if (!isDenied(error)) return error
  const { hint = '' } = error
  // the identity's own policy can be printed whole; an owner's or an administrator's is theirs to change
  const mend = hint.startsWith('add to the identity')
    ? `\`sregistry policy browse\` prints the policy that allows it, or at least ${hint}`
    : hint
  return new SregistryError('ACCESS_DENIED', `cannot browse ${what}: ${error.message}`, {
    hint: `pulling needs no browsing; ${mend}`,
    cause: error.cause,
  })
}

async function* browsing<Item>(items: AsyncIterable<Item>, what: string): AsyncGenerator<Item> {
  try {
    yield* items
  } catch (error) {
    throw cannotBrowse(error, what)
  }
}

export function isDenied(error: unknown): error is SregistryError {
  return isSregistryError(error) && error.code === 'ACCESS_DENIED'
}
