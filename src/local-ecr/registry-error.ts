/** Errors of the data plane (distribution spec § Error Codes), with ECR's statuses and texts. */
import { type Reply, textReply } from './reply.ts'

export type RegistryErrorCode =
  | 'BLOB_UNKNOWN'
  | 'BLOB_UPLOAD_INVALID'
  | 'BLOB_UPLOAD_UNKNOWN'
  | 'DENIED'
  | 'DIGEST_INVALID'
  | 'MANIFEST_BLOB_UNKNOWN'
  | 'MANIFEST_INVALID'
  | 'MANIFEST_UNKNOWN'
  | 'NAME_UNKNOWN'
  | 'SIZE_INVALID'
  | 'TAG_INVALID'
  | 'TOOMANYREQUESTS'
  | 'UNKNOWN'
  | 'UNSUPPORTED'

/** Ends a request to `/v2/` with this status and error body. */
export class RegistryError extends Error {
  readonly status: number
  readonly code: RegistryErrorCode

  constructor(status: number, code: RegistryErrorCode, message: string) {
    super(message)
    this.status = status
    this.code = code
  }
}

const versionHeader = { 'docker-distribution-api-version': 'registry/2.0' }

export function registryErrorReply(
  error: RegistryError,
  headers: Readonly<Record<string, string>> = {},
): Reply {
  const body = JSON.stringify({ errors: [{ code: error.code, message: error.message }] })
  return textReply(error.status, 'application/json; charset=utf-8', body, {
    ...versionHeader,
    ...headers,
  })
}

/** No credential, or one that was never issued: plain text, not JSON. */
export function unauthorizedReply(registryUrl: string): Reply {
  return textReply(401, 'text/plain; charset=utf-8', 'Not Authorized\n', {
    ...versionHeader,
    'www-authenticate': `Basic realm="${registryUrl}/",service="ecr.amazonaws.com"`,
  })
}

export function withVersion(headers: Readonly<Record<string, string>>): Record<string, string> {
  return { ...versionHeader, ...headers }
}
