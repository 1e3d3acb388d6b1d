/** Who sent this request to the control plane: the checks of AWS's front door, in its order. */
import type { Account } from './account.ts'
import { ApiError } from './api-error.ts'
import type { Principal } from './principal.ts'
import {
  amzDateOf,
  formatAmzDate,
  isSignedBy,
  parseAmzDate,
  parseSignatureClaim,
  type SignatureClaim,
  type SignedRequest,
} from './sigv4.ts'

const maxSkewMs = 5 * 60_000

export type FrontDoor = {
  readonly account: Account
  readonly principals: ReadonlyMap<string, Principal>
  readonly service: 'ecr' | 'sts'
  readonly nowMs: number
}

/** @throws {ApiError} with the name and text that AWS gives for the first check that fails. */
export function identifyCaller(request: SignedRequest, door: FrontDoor): Principal {
  const claim = claimOf(request)
  const principal = door.principals.get(claim.accessKeyId)
  if (principal === undefined) throw invalidToken()
  checkTime(request, claim, door.nowMs)
  checkScope(claim, door)
  if (!isSignedBy(principal.secretAccessKey, claim, request)) {
    throw invalidSignature(
      'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.',
    )
  }
  checkSession(request, principal, door.nowMs)
  return principal
}

function claimOf(request: SignedRequest): SignatureClaim {
  const authorization = request.headers.authorization
  if (authorization === undefined) {
    throw new ApiError('MissingAuthenticationTokenException', 'Missing Authentication Token')
  }
  const claim = parseSignatureClaim(authorization)
  if (claim === undefined || !claim.signedHeaders.includes('host')) {
    throw new ApiError(
      'IncompleteSignatureException',
      'Authorization header requires existence of Credential, SignedHeaders (with host) and Signature.',
    )
  }
  return claim
}

function checkTime(request: SignedRequest, claim: SignatureClaim, nowMs: number): void {
  const date = amzDateOf(request.headers)
  if (date === undefined || !date.startsWith(claim.day)) {
    throw new ApiError('IncompleteSignatureException', 'Date in Credential scope does not match.')
  }
  const signedMs = parseAmzDate(date)
  const now = formatAmzDate(nowMs)
  if (nowMs - signedMs > maxSkewMs) {
    const earliest = formatAmzDate(nowMs - maxSkewMs)
    throw invalidSignature(
      `Signature expired: ${date} is now earlier than ${earliest} (${now} - 5 min.)`,
    )
  }
  if (signedMs - nowMs > maxSkewMs) {
    const latest = formatAmzDate(nowMs + maxSkewMs)
    throw invalidSignature(
      `Signature not yet current: ${date} is still later than ${latest} (${now} + 5 min.)`,
    )
  }
}

function checkScope(claim: SignatureClaim, door: FrontDoor): void {
  if (claim.service !== door.service) {
    throw invalidSignature(`Credential should be scoped to correct service: '${door.service}'.`)
  }
  // STS is global: any region's signature passes
  if (door.service === 'ecr' && claim.region !== door.account.region) {
    throw invalidSignature(`Credential should be scoped to a valid region, not '${claim.region}'.`)
  }
}

function checkSession(request: SignedRequest, principal: Principal, nowMs: number): void {
  const given = request.headers['x-amz-security-token']
  if (given !== principal.sessionToken) throw invalidToken()
  if (principal.expiresAtMs !== undefined && nowMs >= principal.expiresAtMs) {
    throw new ApiError(
      'ExpiredTokenException',
      'The security token included in the request is expired',
    )
  }
}

function invalidToken(): ApiError {
  return new ApiError(
    'UnrecognizedClientException',
    'The security token included in the request is invalid.',
  )
}

function invalidSignature(message: string): ApiError {
  return new ApiError('InvalidSignatureException', message)
}
