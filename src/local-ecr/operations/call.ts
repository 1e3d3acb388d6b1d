/** One call of the control plane: what operations get, and how they read their input. */
import { ApiError, invalidParameter, repositoryNotFound } from '../api-error.ts'
import { isDigest } from '../blob-store.ts'
import type { Principal } from '../principal.ts'
import type { RegistryState } from '../registry-state.ts'
import type { Repository } from '../repository-store.ts'

export type Input = Readonly<Record<string, unknown>>

export type Call = {
  readonly state: RegistryState
  readonly principal: Principal
  readonly operation: string
  readonly input: Input
}

export type Operation = (call: Call) => unknown | Promise<unknown>

export type ImageId = { readonly imageDigest?: string; readonly imageTag?: string }

/** @throws {ApiError} InvalidParameterException when it is missing or no string. */
export function requiredText(input: Input, field: string): string {
  const value = optionalText(input, field)
  if (value === undefined) throw constraint(field, 'Member must not be null')
  return value
}

export function optionalText(input: Input, field: string): string | undefined {
  const value = input[field]
  if (value === undefined || value === null) return undefined
  if (typeof value !== 'string') throw new ApiError('SerializationException', `${field}: a string`)
  return value
}

/** @throws {ApiError} InvalidParameterException outside 1..limit. */
export function optionalList(input: Input, field: string, limit: number): readonly unknown[] {
  const value = input[field] ?? []
  if (!Array.isArray(value)) throw new ApiError('SerializationException', `${field}: a list`)
  if (value.length > limit) {
    throw constraint(field, `Member must have length less than or equal to ${limit}`)
  }
  return value
}

export function requiredList(input: Input, field: string, limit: number): readonly unknown[] {
  const list = optionalList(input, field, limit)
  if (list.length === 0)
    throw constraint(field, 'Member must have length greater than or equal to 1')
  return list
}

export function constraint(field: string, rule: string): ApiError {
  return invalidParameter(`Invalid parameter at '${field}' failed to satisfy constraint: '${rule}'`)
}

/** The registry asked for: this one's id unless the input names another. */
export function registryIdOf({ state, input }: Call): string {
  const registryId = optionalText(input, 'registryId') ?? state.account.accountId
  if (!/^\d{12}$/.test(registryId)) {
    throw constraint('registryId', 'Member must satisfy regular expression pattern: [0-9]{12}')
  }
  return registryId
}

/** @throws {ApiError} RepositoryNotFoundException */
export function repositoryOf(
  call: Call,
  name: string = requiredText(call.input, 'repositoryName'),
): Repository {
  const repository = call.state.repositories.get(name)
  if (repository === undefined) throw repositoryNotFound(name, call.state.account.accountId)
  return repository
}

export function imageIdsOf(list: readonly unknown[]): readonly ImageId[] {
  return list.map((item) => {
    const id = item as ImageId
    if (id?.imageDigest === undefined && id?.imageTag === undefined) {
      throw invalidParameter('Either imageDigest or imageTag must be given for each imageId')
    }
    if (id.imageDigest !== undefined && !isDigest(id.imageDigest)) {
      throw constraint('imageDigest', 'Member must be a valid digest')
    }
    return id
  })
}

/** A page of the list, cut as the input's maxResults and nextToken say. */
export function pageOf<Item>(
  call: Call,
  all: readonly Item[],
): { items: readonly Item[]; nextToken?: string } {
  const { state, input, operation } = call
  const asked = input['maxResults'] ?? 100
  if (typeof asked !== 'number' || asked < 1 || asked > 1000) {
    const rule =
      typeof asked === 'number' && asked < 1
        ? 'greater than or equal to 1'
        : 'less than or equal to 1000'
    throw constraint('maxResults', `Member must have value ${rule}`)
  }
  const { nextToken: token, maxResults: _, ...bound } = input
  const page = state.pages.page(all, {
    binding: `${operation} ${JSON.stringify(bound)}`,
    token: optionalText({ token }, 'token'),
    sizeItems: Math.min(asked, state.settings.pageSize),
  })
  if (page === undefined) throw invalidParameter('Invalid parameter: nextToken is not valid')
  return page.nextToken === undefined
    ? { items: page.items }
    : { items: page.items, nextToken: page.nextToken }
}
