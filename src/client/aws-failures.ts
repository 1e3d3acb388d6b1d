/**
 * The registry client with what AWS knows beside it: a missing tag or repository is answered with names
 * that are near, a refusal with the policy statement that lifts it, a blocked layer with the host that a
 * firewall must let through. The data plane alone can say none of this.
 */
import { restoreCommand } from '../aws/archived-image.ts'
import { denialHint } from '../aws/denial-hint.ts'
import { nearNames } from '../aws/near-names.ts'
import { controlPlaneHost } from '../aws/partition.ts'
import { hostsToAllow, pullThroughStatement } from '../aws/policy.ts'
import { listRepositories, listTags } from '../aws/repositories.ts'
import { isSregistryError, SregistryError } from '../errors/sregistry-error.ts'
import { manifestName, type Reference } from '../registry/reference.ts'
import type { RegistryClient } from '../registry/registry-client.ts'
import type { AwsRegistry } from './aws-registries.ts'

export type AwsFailureContext = {
  readonly registry: AwsRegistry
  /** `host[:port]` of the data plane. */
  readonly host: string
  /** Where the last blob was asked for. */
  readonly lastHost: () => string | undefined
}

/** What was asked for when it failed. */
export type Asked = {
  readonly repository: string
  /** Tag or digest, where an image was asked for. */
  readonly image?: string | undefined
  readonly signal?: AbortSignal | undefined
}

type Explanation = Pick<SregistryError, 'message'> & { readonly hint: string | undefined }

/** The same client; its errors keep their code and cause. */
export function explainedClient(
  client: RegistryClient,
  context: AwsFailureContext,
): RegistryClient {
  const told = async <Value>(work: Promise<Value>, asked: Asked): Promise<Value> => {
    try {
      return await work
    } catch (error) {
      throw await explained(error, asked, context)
    }
  }
  return {
    host: client.host,
    locate: (reference, options) =>
      told(client.locate(reference, options), askedFor(reference, options)),
    readManifest: (located, options) =>
      told(client.readManifest(located, options), askedFor(located.reference, options)),
    resolve: (wanted, options) => {
      const reference = 'manifestDigest' in wanted ? wanted.reference : wanted
      return told(client.resolve(wanted, options), askedFor(reference, options))
    },
    manifest: (reference, options) =>
      told(client.manifest(reference, options), askedFor(reference, options)),
    openBlob: (repository, descriptor, options) =>
      toldStream(client.openBlob(repository, descriptor, options), { repository }, context),
    tags: (repository, options) =>
      toldStream(client.tags(repository, options), { repository, ...options }, context),
    ping: async (options) => {
      try {
        await client.ping(options)
      } catch (error) {
        throw isSregistryError(error) ? withExplanation(error, tokenRefused(error, context)) : error
      }
    },
    close: () => client.close(),
  }
}

function askedFor(reference: Reference, options: { readonly signal?: AbortSignal } = {}): Asked {
  const { repository } = reference
  return { repository, image: manifestName(reference), signal: options.signal }
}

async function* toldStream<Item>(
  items: AsyncIterable<Item>,
  asked: Asked,
  context: AwsFailureContext,
): AsyncGenerator<Item> {
  try {
    yield* items
  } catch (error) {
    throw await explained(error, asked, context)
  }
}

async function explained(
  error: unknown,
  asked: Asked,
  context: AwsFailureContext,
): Promise<unknown> {
  if (!isSregistryError(error)) return error
  return withExplanation(error, await explanationOf(error, asked, context))
}

function withExplanation(
  error: SregistryError,
  explanation: Explanation | undefined,
): SregistryError {
  if (explanation === undefined) return error
  const { message, hint } = explanation
  return new SregistryError(error.code, message, {
    ...(hint === undefined ? {} : { hint }),
    // what the registry itself said is kept below what we say of it, unless we say it too
    cause: message.includes(error.message) ? error.cause : error,
  })
}

async function explanationOf(
  error: SregistryError,
  asked: Asked,
  context: AwsFailureContext,
): Promise<Explanation | undefined> {
  switch (error.code) {
    case 'MANIFEST_UNKNOWN':
      return tagMissing(error, asked, context)
    case 'NAME_UNKNOWN':
      return repositoryMissing(asked, context)
    case 'ACCESS_DENIED':
      return refused(error, asked, context)
    case 'NETWORK':
    case 'TIMEOUT':
    case 'TLS':
      return storageBlocked(error, context)
    default:
      return tokenRefused(error, context)
  }
}

/** The token is fresh, or was renewed a moment ago: who logs in with docker as well changes nothing. */
function tokenRefused(
  error: SregistryError,
  { registry, host }: AwsFailureContext,
): Explanation | undefined {
  if (!['CREDENTIALS_INVALID', 'CREDENTIALS_EXPIRED'].includes(error.code)) return undefined
  // refusals of the control plane, which have AWS's error for their cause, know better
  if (error.cause !== undefined) return undefined
  const { endpoint } = registry.settings
  const giver =
    endpoint === undefined
      ? `ECR in ${registry.connection.controlPlane.region}`
      : `${endpoint.value} (${endpoint.source})`
  return {
    message: error.message,
    hint: `is ${host} a registry of ${giver}, which gave the token? or a proxy drops the Authorization header: add ${host} to NO_PROXY`,
  }
}

async function tagMissing(
  error: SregistryError,
  asked: Asked,
  { registry }: AwsFailureContext,
): Promise<Explanation> {
  const { repository, image = 'latest' } = asked
  const { controlPlane } = registry.connection
  const within = bounds(registry, asked)
  const tags = await names(listTags(controlPlane, repository, within), ({ tag }) => tag)
  if (tags.includes(image)) return { message: error.message, hint: justPushed }
  if (await isArchived(registry, asked)) {
    const message = `the image is archived and cannot be pulled: ${error.message}`
    return { message, hint: `restore it: ${restoreCommand(repository, image)}` }
  }
  const near = nearNames(image, tags)
  const offered = near.length > 0 ? near : tags.slice(0, 3)
  const list = `sregistry tags ${repository}, or client.tags('${repository}'), lists what is there`
  if (offered.length === 0) return { message: error.message, hint: list }
  const named = offered.map((tag) => `${repository}:${tag}`).join(', ')
  const hint = near.length > 0 ? `did you mean ${named}?` : `there is ${named}; ${list}`
  return { message: error.message, hint }
}

// Replication and an index that is still being pushed come by tag before they come by digest.
const justPushed =
  'the list of tags has it: if it was pushed or replicated a moment ago, try again in a minute'

/** Not among the active images, but there: by its tag, or by the digest of a tag. */
async function isArchived(registry: AwsRegistry, asked: Asked): Promise<boolean> {
  const { repository, image } = asked
  const within = { ...bounds(registry, asked), imageStatus: 'ANY' } as const
  const all = await names(
    listTags(registry.connection.controlPlane, repository, within),
    ({ tag, digest = '' }) => (digest === image ? digest : tag),
  )
  return image !== undefined && all.includes(image)
}

async function repositoryMissing(
  asked: Asked,
  { registry, host }: AwsFailureContext,
): Promise<Explanation> {
  const { repository } = asked
  const where = registry.account === undefined ? '' : `, account ${registry.account}`
  const { region } = registry.connection.controlPlane
  return {
    message: `there is no repository ${repository} on ${host} (region ${region}${where})`,
    hint: await repositoryHint(asked, registry),
  }
}

async function repositoryHint(asked: Asked, registry: AwsRegistry): Promise<string> {
  const { repository } = asked
  const all = await names(
    listRepositories(registry.connection.controlPlane, bounds(registry, asked)),
    ({ name }) => name,
  )
  const near = nearNames(repository, all)
  if (near.length > 0) return `did you mean ${near.join(', ')}?`
  const otherwise = `is it another region or account? sregistry repositories lists what is there; sregistry create ${repository} makes it`
  // PREFIX/UPSTREAM: a pull-through cache makes it at the first pull, for who may
  if (!repository.includes('/')) return otherwise
  const { account } = registry
  const { region } = registry.connection.controlPlane
  return `${otherwise}; behind a pull-through cache, allow the first pull: ${pullThroughStatement({ region, repository, ...(account === undefined ? {} : { account }) })}`
}

/** The control plane's word that a repository is missing, with names that are near; others as they are. */
export async function withNearRepositories(
  error: unknown,
  registry: AwsRegistry,
  asked: Asked,
): Promise<unknown> {
  if (!isSregistryError(error) || error.code !== 'NAME_UNKNOWN') return error
  const hint = await repositoryHint(asked, registry)
  return new SregistryError(error.code, error.message, { hint, cause: error.cause })
}

/** AWS's sentence stands in both planes' refusals: `… perform: ecr:X on resource: ARN because …`. */
function refused(
  error: SregistryError,
  { repository }: Asked,
  { registry }: AwsFailureContext,
): Explanation {
  const sentence = /is not authorized to perform: (\S+)(?: on resource: (\S+))?/
  const [, action, resource] = sentence.exec(error.message) ?? []
  if (action === undefined) return { message: error.message, hint: error.hint }
  const { account } = registry
  const { region } = registry.connection.controlPlane
  const target = { repository, region, ...(account === undefined ? {} : { account }) }
  return { message: error.message, hint: denialHint(error.message, action, resource, target) }
}

/** "The manifest works, the layers hang": the storage behind the registry is not let through. */
function storageBlocked(
  error: SregistryError,
  { registry, host, lastHost }: AwsFailureContext,
): Explanation | undefined {
  const storage = lastHost()
  if (storage === undefined || storage === host) return undefined
  const { region } = registry.connection.controlPlane
  const hosts = hostsToAllow(host, controlPlaneHost(region, registry.settings.variant), region)
  return {
    message: `the layers are kept on ${storage}, another host than the registry: ${error.message}`,
    hint: `${error.hint === undefined ? '' : `${error.hint}; `}a firewall must let through: ${hosts.join(', ')}`,
  }
}

/** More names than this are not compared. */
const mostNames = 5000

// Offered beside a failure that is told anyway: without the right to list, nothing is offered.
async function names<Item>(
  items: AsyncIterable<Item>,
  nameOf: (item: Item) => string,
): Promise<readonly string[]> {
  const found: string[] = []
  try {
    for await (const item of items) {
      found.push(nameOf(item))
      if (found.length >= mostNames) break
    }
  } catch (error) {
    if (isSregistryError(error) && error.code === 'CANCELLED') throw error
  }
  return found
}

function bounds({ account }: AwsRegistry, { signal }: Asked) {
  return {
    ...(account === undefined ? {} : { registryId: account }),
    ...(signal === undefined ? {} : { signal }),
  }
}
