/**
 * `/v2/`: the distribution protocol as ECR speaks it, with Basic tokens that expire.
 * @see OCI distribution spec § Endpoints
 */
import type { IncomingMessage } from 'node:http'
import { getBlob, headBlob } from './blob-endpoints.ts'
import type { DataPlaneRequest, Endpoint } from './data-plane-request.ts'
import { listRepositories, listTags } from './list-endpoints.ts'
import type { Route, Router } from './listener.ts'
import { getManifest, headManifest, putManifest } from './manifest-endpoints.ts'
import {
  RegistryError,
  registryErrorReply,
  unauthorizedReply,
  withVersion,
} from './registry-error.ts'
import type { RegistryState } from './registry-state.ts'
import { type Reply, textReply } from './reply.ts'
import { Uploads } from './upload-endpoints.ts'

type Row = {
  /** As fault rules and the request log name it. */
  readonly operation: string
  readonly method: string
  /** Groups: repository name, then tag, digest or upload id. */
  readonly path: RegExp
  /** The IAM action that it needs; the ping needs none. */
  readonly action?: string
  readonly endpoint: Endpoint
}

export function dataPlane(state: RegistryState): Router {
  const rows = endpoints(new Uploads())
  return async (request, url) => {
    const row = rows.find((one) => one.method === request.method && one.path.test(url.pathname))
    if (row === undefined) return unknownRoute(state, request)
    const [, name = '', reference = ''] = row.path.exec(url.pathname) ?? []
    const call = { state, request, url, name, reference: decodeURIComponent(reference) }
    return routeOf(row, call)
  }
}

function endpoints(uploads: Uploads): readonly Row[] {
  const manifest = /^\/v2\/(.+)\/manifests\/([^/]+)$/
  const blob = /^\/v2\/(.+)\/blobs\/([^/]+)$/
  const uploadsRoot = /^\/v2\/(.+)\/blobs\/uploads\/?$/
  const upload = /^\/v2\/(.+)\/blobs\/uploads\/([^/]+)$/
  const start = 'InitiateLayerUpload'
  const part = 'UploadLayerPart'
  const end = 'CompleteLayerUpload'
  const read = 'BatchGetImage'
  return [
    { operation: 'Ping', method: 'GET', path: /^\/v2\/?$/, endpoint: ping },
    row('ListRepositories', 'GET', /^\/v2\/_catalog$/, 'DescribeRepositories', listRepositories),
    row('ListTags', 'GET', /^\/v2\/(.+)\/tags\/list$/, 'ListImages', listTags),
    row('GetManifest', 'GET', manifest, read, getManifest),
    row('HeadManifest', 'HEAD', manifest, read, headManifest),
    row('PutManifest', 'PUT', manifest, 'PutImage', putManifest),
    row('StartUpload', 'POST', uploadsRoot, start, (call) => uploads.start(call)),
    row('AppendUpload', 'PATCH', upload, part, (call) => uploads.append(call)),
    row('FinishUpload', 'PUT', upload, end, (call) => uploads.finish(call)),
    row('GetUpload', 'GET', upload, part, (call) => uploads.progress(call)),
    row('CancelUpload', 'DELETE', upload, start, (call) => uploads.cancel(call)),
    row('GetBlob', 'GET', blob, 'GetDownloadUrlForLayer', getBlob),
    row('HeadBlob', 'HEAD', blob, 'BatchCheckLayerAvailability', headBlob),
  ]
}

function row(
  operation: string,
  method: string,
  path: RegExp,
  action: string,
  endpoint: Endpoint,
): Row {
  return { operation, method, path, action, endpoint }
}

function routeOf(row: Row, call: DataPlaneRequest): Route {
  const answer = async () => {
    const refusal = refuse(call.state, call.request, row.action, call.name)
    return refusal ?? (await row.endpoint(call))
  }
  const repository = call.name || undefined
  return { operation: row.operation, repository, answer: () => answer().catch(toReply) }
}

/** Unknown places ask for credentials too, as ECR's do. */
function unknownRoute(state: RegistryState, request: IncomingMessage): Route {
  const unsupported = new RegistryError(405, 'UNSUPPORTED', 'The operation is unsupported.')
  const answer = async () => refuse(state, request) ?? registryErrorReply(unsupported)
  return { operation: 'Unknown', answer }
}

function refuse(
  state: RegistryState,
  request: IncomingMessage,
  action?: string,
  repository?: string,
): Reply | undefined {
  const check = state.tokens.check(request.headers.authorization, state.nowMs())
  if (check.state === 'unknown') return unauthorizedReply(state.account.registryUrl)
  if (check.state === 'expired') return denied(expiredText)
  if (action === undefined) return undefined
  const access = { arn: check.arn, action, repository: repository || '*' }
  const refusal = state.policy.refusal(access)
  return refusal === undefined ? undefined : denied(refusal)
}

const expiredText = 'Your authorization token has expired. Reauthenticate and try again.'

function denied(message: string): Reply {
  return registryErrorReply(new RegistryError(403, 'DENIED', message))
}

function toReply(error: unknown): Reply {
  if (error instanceof RegistryError) return registryErrorReply(error)
  throw error
}

async function ping(): Promise<Reply> {
  return textReply(200, 'application/json; charset=utf-8', '', withVersion({}))
}
