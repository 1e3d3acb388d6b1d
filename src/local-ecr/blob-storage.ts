/** The place that presigned URLs lead to: S3's manners, on another origin than the registry. */
import type { IncomingMessage } from 'node:http'
import type { Router } from './listener.ts'
import type { RegistryState } from './registry-state.ts'
import { emptyReply, type Reply } from './reply.ts'
import { storageErrorReply } from './storage-error.ts'

export function blobStorage(state: RegistryState): Router {
  return async (request, url) => ({
    operation: 'Download',
    answer: () => download(state, request, url),
  })
}

async function download(state: RegistryState, request: IncomingMessage, url: URL): Promise<Reply> {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    return storageErrorReply(405, 'MethodNotAllowed', 'The method is not allowed here.')
  }
  if (request.headers.authorization !== undefined) {
    const text =
      'Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string parameter or the Authorization header should be specified'
    return storageErrorReply(400, 'InvalidArgument', text)
  }
  const check = state.urls.check(url.pathname, url.searchParams, state.nowMs())
  if (check === 'expired') return storageErrorReply(403, 'AccessDenied', 'Request has expired')
  if (check === 'forged') {
    const text = 'The request signature we calculated does not match the signature you provided.'
    return storageErrorReply(403, 'SignatureDoesNotMatch', text)
  }
  const digest = url.pathname.slice(url.pathname.lastIndexOf('/') + 1)
  const sizeBytes = await state.blobs.sizeBytes(digest)
  if (sizeBytes === undefined) {
    return storageErrorReply(404, 'NoSuchKey', 'The specified key does not exist.')
  }
  return blobReply(state.blobs.path(digest), sizeBytes, digest, request.headers.range)
}

function blobReply(path: string, sizeBytes: number, digest: string, header?: string): Reply {
  const headers = {
    'content-type': 'application/octet-stream',
    'accept-ranges': 'bytes',
    etag: `"${digest.slice('sha256:'.length, 'sha256:'.length + 32)}"`,
  }
  const range = parseRange(header, sizeBytes)
  if (range === 'unsatisfiable') {
    return emptyReply(416, { ...headers, 'content-range': `bytes */${sizeBytes}` })
  }
  if (range === undefined) return { status: 200, headers, body: { path, offset: 0, sizeBytes } }
  const { start, end } = range
  return {
    status: 206,
    headers: { ...headers, 'content-range': `bytes ${start}-${end}/${sizeBytes}` },
    body: { path, offset: start, sizeBytes: end - start + 1 },
  }
}

/**
 * First and last byte of a single range (RFC 9110 § 14.1.2). Undefined where the header is absent or
 * has another form: then the whole is sent.
 */
export function parseRange(
  header: string | undefined,
  sizeBytes: number,
): { start: number; end: number } | 'unsatisfiable' | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header ?? '')
  const [, first = '', last = ''] = match ?? []
  if (first === '' && last === '') return undefined
  const start = first === '' ? Math.max(0, sizeBytes - Number(last)) : Number(first)
  const end = first === '' || last === '' ? sizeBytes - 1 : Math.min(Number(last), sizeBytes - 1)
  if (first !== '' && last !== '' && Number(last) < start) return undefined
  return start >= sizeBytes || end < start ? 'unsatisfiable' : { start, end }
}
