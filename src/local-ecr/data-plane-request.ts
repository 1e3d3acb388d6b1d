/** One authorised request to `/v2/`: what the endpoints get. */
import type { IncomingMessage } from 'node:http'
import { missingRepository } from './api-error.ts'
import { RegistryError } from './registry-error.ts'
import type { RegistryState } from './registry-state.ts'
import type { Reply } from './reply.ts'
import type { Repository } from './repository-store.ts'

export type DataPlaneRequest = {
  readonly state: RegistryState
  readonly request: IncomingMessage
  readonly url: URL
  /** Repository name in the path; empty where the endpoint has none. */
  readonly name: string
  /** Tag, digest or upload id in the path; empty where the endpoint has none. */
  readonly reference: string
}

export type Endpoint = (request: DataPlaneRequest) => Promise<Reply>

/** @throws {RegistryError} 404 NAME_UNKNOWN in ECR's words. */
export function repositoryOf({ state, name }: DataPlaneRequest): Repository {
  const repository = state.repositories.get(name)
  if (repository === undefined) {
    const text = missingRepository(name, state.account.accountId)
    throw new RegistryError(404, 'NAME_UNKNOWN', text)
  }
  return repository
}

/** Absolute, as ECR's Link and Location headers are. */
export function absoluteUrl({ url }: DataPlaneRequest, pathAndQuery: string): string {
  return `${url.origin}${pathAndQuery}`
}
