/** Errors of the control plane (JSON 1.1): HTTP 400, or 500 for the service's own. */
import { randomUUID } from 'node:crypto'
import { type Reply, textReply } from './reply.ts'

/** Ends an operation with ECR's error of that name. */
export class ApiError extends Error {
  override readonly name: string
  readonly status: number

  constructor(name: string, message: string, status = 400) {
    super(message)
    this.name = name
    this.status = status
  }
}

const apiContentType = 'application/x-amz-json-1.1'

export function apiReply(output: unknown): Reply {
  return textReply(200, apiContentType, JSON.stringify(output), {
    'x-amzn-requestid': randomUUID(),
  })
}

export function apiErrorReply(error: ApiError, headers: Record<string, string> = {}): Reply {
  const body = JSON.stringify({ __type: error.name, message: error.message })
  return textReply(error.status, apiContentType, body, {
    'x-amzn-requestid': randomUUID(),
    'x-amzn-errortype': error.name,
    ...headers,
  })
}

export function repositoryNotFound(name: string, registryId: string): ApiError {
  return new ApiError('RepositoryNotFoundException', missingRepository(name, registryId))
}

/** ECR's sentence, the same on both planes. */
export function missingRepository(name: string, registryId: string): string {
  return `The repository with name '${name}' does not exist in the registry with id '${registryId}'`
}

export function invalidParameter(message: string): ApiError {
  return new ApiError('InvalidParameterException', message)
}
