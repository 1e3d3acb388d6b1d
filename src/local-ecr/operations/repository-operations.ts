/** Repositories: list, create, delete, and the policies on them. */
import { repositoryArn } from '../account.ts'
import { ApiError, invalidParameter } from '../api-error.ts'
import type { RegistryState } from '../registry-state.ts'
import { isRepositoryName, type Repository, type TagMutability } from '../repository-store.ts'
import {
  type Call,
  constraint,
  type Operation,
  optionalList,
  optionalText,
  pageOf,
  repositoryOf,
  requiredText,
} from './call.ts'

function describe(state: RegistryState, repository: Repository): unknown {
  const { account } = state
  return {
    repositoryArn: repositoryArn(account, repository.name),
    registryId: account.accountId,
    repositoryName: repository.name,
    repositoryUri: `${account.registryHost}/${repository.name}`,
    createdAt: repository.createdAtMs / 1000,
    imageTagMutability: repository.imageTagMutability,
    imageScanningConfiguration: { scanOnPush: false },
    encryptionConfiguration: { encryptionType: 'AES256' },
  }
}

function describeRepositories(call: Call): unknown {
  const { state, input } = call
  const names = optionalList(input, 'repositoryNames', 100)
  if (names.length > 0) {
    if (input['maxResults'] !== undefined) {
      throw invalidParameter('maxResults cannot be used together with repositoryNames')
    }
    const found = names.map((name) => repositoryOf(call, String(name)))
    return { repositories: found.map((repository) => describe(state, repository)) }
  }
  const { items, ...next } = pageOf(call, state.repositories.list())
  return { repositories: items.map((repository) => describe(state, repository)), ...next }
}

async function createRepository({ state, input }: Call): Promise<unknown> {
  const name = requiredText(input, 'repositoryName')
  if (!isRepositoryName(name)) {
    throw constraint(
      'repositoryName',
      'must satisfy the grammar of repository names: lower case, digits, . _ - and /',
    )
  }
  const mutability = optionalText(input, 'imageTagMutability') ?? 'MUTABLE'
  if (!isMutability(mutability)) {
    throw constraint(
      'imageTagMutability',
      'Member must satisfy enum value set: [IMMUTABLE, MUTABLE]',
    )
  }
  if (state.repositories.get(name) !== undefined) {
    throw new ApiError(
      'RepositoryAlreadyExistsException',
      `The repository with name '${name}' already exists in the registry with id '${state.account.accountId}'`,
    )
  }
  const repository = await state.repositories.create(name, state.nowMs(), mutability)
  return { repository: describe(state, repository) }
}

function isMutability(text: string): text is TagMutability {
  return text === 'MUTABLE' || text === 'IMMUTABLE'
}

async function deleteRepository(call: Call): Promise<unknown> {
  const { state, input } = call
  const repository = repositoryOf(call)
  if (repository.images.size > 0 && input['force'] !== true) {
    throw new ApiError(
      'RepositoryNotEmptyException',
      `The repository with name '${repository.name}' in registry with id '${state.account.accountId}' cannot be deleted because it still contains images`,
    )
  }
  await state.repositories.delete(repository.name)
  return { repository: describe(state, repository) }
}

async function setRepositoryPolicy(call: Call): Promise<unknown> {
  const repository = repositoryOf(call)
  const policyText = requiredText(call.input, 'policyText')
  if (!isJsonObject(policyText)) {
    throw invalidParameter(
      "Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Invalid repository policy provided'",
    )
  }
  repository.policyText = policyText
  await call.state.repositories.save(repository)
  return policyOutput(call, repository)
}

function isJsonObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null
  } catch {
    return false // not JSON: that is the answer
  }
}

function getRepositoryPolicy(call: Call): unknown {
  const repository = repositoryOf(call)
  if (repository.policyText === undefined) throw noPolicy(call, repository)
  return policyOutput(call, repository)
}

async function deleteRepositoryPolicy(call: Call): Promise<unknown> {
  const repository = repositoryOf(call)
  if (repository.policyText === undefined) throw noPolicy(call, repository)
  const output = policyOutput(call, repository)
  repository.policyText = undefined
  await call.state.repositories.save(repository)
  return output
}

function policyOutput({ state }: Call, { name, policyText }: Repository): unknown {
  return { registryId: state.account.accountId, repositoryName: name, policyText }
}

function noPolicy({ state }: Call, { name }: Repository): ApiError {
  return new ApiError(
    'RepositoryPolicyNotFoundException',
    `Repository policy does not exist for the repository with name '${name}' in the registry with id '${state.account.accountId}'`,
  )
}

export const repositoryOperations: Readonly<Record<string, Operation>> = {
  DescribeRepositories: describeRepositories,
  CreateRepository: createRepository,
  DeleteRepository: deleteRepository,
  SetRepositoryPolicy: setRepositoryPolicy,
  GetRepositoryPolicy: getRepositoryPolicy,
  DeleteRepositoryPolicy: deleteRepositoryPolicy,
}
