/**
 * The ECR API: JSON 1.1 over `POST /`, routed by X-Amz-Target.
 * @see botocore data/ecr/2015-09-21/service-2.json
 */
import type { IncomingMessage } from 'node:http'
import { ApiError, apiErrorReply, apiReply } from './api-error.ts'
import { type FrontDoor, identifyCaller } from './caller.ts'
import type { Route, Router } from './listener.ts'
import { type Call, type Input, type Operation, registryIdOf } from './operations/call.ts'
import { imageOperations } from './operations/image-operations.ts'
import { layerOperations } from './operations/layer-operations.ts'
import { pushOperations } from './operations/push-operations.ts'
import { registryOperations } from './operations/registry-operations.ts'
import { repositoryOperations } from './operations/repository-operations.ts'
import { scanOperations } from './operations/scan-operations.ts'
import type { Principal } from './principal.ts'
import type { RegistryState } from './registry-state.ts'
import type { Reply } from './reply.ts'
import { readBody } from './request-body.ts'
import { answerSts, stsErrorReply } from './security-token-service.ts'

const targetPrefix = 'AmazonEC2ContainerRegistry_V20150921.'
/** A part of a layer has up to 10 MiB, and a third more as base64. */
const maxBodyBytes = 16 * 1024 * 1024

type Operations = Readonly<Record<string, Operation>>

const statelessOperations: Operations = {
  ...registryOperations,
  ...repositoryOperations,
  ...imageOperations,
  ...layerOperations,
  ...scanOperations,
}

/** Actions whose policies take no resource but `*`. */
const registryWide = new Set(['GetAuthorizationToken', 'DescribeRegistry'])

export function controlPlane(state: RegistryState): Router {
  const operations = new Map(Object.entries({ ...statelessOperations, ...pushOperations() }))
  return async (request, url) => {
    const body = await readBody(request, maxBodyBytes)
    if (body === undefined)
      return refuse(new ApiError('RequestTooLargeException', 'Too large', 413))
    const signed = {
      method: request.method ?? '',
      path: url.pathname,
      headers: request.headers,
      body,
    }
    const identify = (service: FrontDoor['service']) =>
      identifyCaller(signed, { ...state, service, nowMs: state.nowMs() })
    if (isQueryProtocol(request)) return routeSts(body, () => identify('sts'), state)
    return routeEcr({ request, body, identify: () => identify('ecr'), state, operations })
  }
}

function isQueryProtocol(request: IncomingMessage): boolean {
  const type = request.headers['content-type'] ?? ''
  return type.startsWith('application/x-www-form-urlencoded')
}

function refuse(error: ApiError): Route {
  return { operation: 'Unknown', answer: async () => apiErrorReply(error) }
}

function routeSts(body: Buffer, identify: () => Principal, state: RegistryState): Route {
  const input = new URLSearchParams(body.toString())
  const operation = input.get('Action') ?? 'Unknown'
  const answer = async () => answerSts(operation, { input, principal: identify(), state })
  return { operation, answer: () => answer().catch(errorsTo(stsErrorReply)) }
}

type EcrRequest = {
  readonly request: IncomingMessage
  readonly body: Buffer
  readonly identify: () => Principal
  readonly state: RegistryState
  readonly operations: ReadonlyMap<string, Operation>
}

function routeEcr({ request, body, identify, state, operations }: EcrRequest): Route {
  const target = String(request.headers['x-amz-target'] ?? '')
  const operation = target.startsWith(targetPrefix) ? target.slice(targetPrefix.length) : 'Unknown'
  const input = parseInput(body)
  const repository = repositoryNameOf(input)
  const answer = async () => {
    refuseChunks(request)
    const principal = identify()
    const run = operations.get(operation)
    if (run === undefined) throw new ApiError('UnknownOperationException', '')
    if (input === undefined) throw new ApiError('SerializationException', 'The body is not JSON')
    const call = { state, principal, operation, input }
    authorize(call, repository)
    return apiReply(await run(call))
  }
  return { operation, repository, answer: () => answer().catch(errorsTo(apiErrorReply)) }
}

function errorsTo(reply: (error: ApiError) => Reply): (error: unknown) => Reply {
  return (error) => {
    if (error instanceof ApiError) return reply(error)
    throw error
  }
}

/** Chunked signatures are S3's; ECR has none. */
function refuseChunks(request: IncomingMessage): void {
  const encoding = request.headers['content-encoding'] ?? ''
  const hash = String(request.headers['x-amz-content-sha256'] ?? '')
  if (encoding.includes('aws-chunked') || hash.startsWith('STREAMING-')) {
    throw new ApiError('InvalidSignatureException', 'Chunked signatures are not supported.')
  }
}

/** Registries of other accounts have no policy that lets anybody in, so nothing of them is told. */
function authorize(call: Call, repository: string | undefined): void {
  const { state, principal, operation: action } = call
  const resource = repository ?? (registryWide.has(action) ? undefined : '*')
  const access = { arn: principal.arn, action, repository: resource }
  const refusal = state.policy.refusal({ ...access, registryId: registryIdOf(call) })
  if (refusal !== undefined) throw new ApiError('AccessDeniedException', refusal)
}

function parseInput(body: Buffer): Input | undefined {
  try {
    const input: unknown = JSON.parse(body.toString() || '{}')
    return typeof input === 'object' && input !== null ? (input as Input) : undefined
  } catch {
    return undefined // not JSON: answered after the signature has been checked
  }
}

function repositoryNameOf(input: Input | undefined): string | undefined {
  const names = input?.['repositoryNames']
  const name = input?.['repositoryName'] ?? (Array.isArray(names) ? names[0] : undefined)
  return typeof name === 'string' ? name : undefined
}
