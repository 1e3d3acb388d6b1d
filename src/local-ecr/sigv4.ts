/**
 * Signature Version 4 as ECR checks it: the canonical request is rebuilt from the headers that the
 * caller says it signed. The payload hash is that of the body, since aws-cli neither sends nor signs
 * x-amz-content-sha256.
 * @see AWS IAM User Guide, "Create a signed AWS API request"
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'

/** What the Authorization header says. */
export type SignatureClaim = {
  readonly accessKeyId: string
  /** YYYYMMDD of the credential scope. */
  readonly day: string
  readonly region: string
  readonly service: string
  readonly signedHeaders: readonly string[]
  readonly signature: string
}

export type SignedRequest = {
  readonly method: string
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: Uint8Array
}

const algorithm = 'AWS4-HMAC-SHA256'

/** Undefined when the header is no complete SigV4 claim. */
export function parseSignatureClaim(authorization: string): SignatureClaim | undefined {
  if (!authorization.startsWith(`${algorithm} `)) return undefined
  const fields = new Map(
    authorization
      .slice(algorithm.length)
      .split(',')
      .map((part) => splitOnce(part.trim(), '=')),
  )
  const scope = fields.get('Credential')?.split('/')
  const signedHeaders = fields.get('SignedHeaders')
  const signature = fields.get('Signature')
  if (scope?.length !== 5 || scope[4] !== 'aws4_request') return undefined
  if (!signedHeaders || !signature) return undefined
  const [accessKeyId = '', day = '', region = '', service = ''] = scope
  const names = signedHeaders.split(';')
  return { accessKeyId, day, region, service, signedHeaders: names, signature }
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator)
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)]
}

/** Whether the claim's signature is the one that this secret makes of this request. */
export function isSignedBy(
  secretAccessKey: string,
  claim: SignatureClaim,
  request: SignedRequest,
): boolean {
  const expected = signatureOf(secretAccessKey, claim, request)
  const given = Buffer.from(claim.signature)
  return given.length === expected.length && timingSafeEqual(given, Buffer.from(expected))
}

function signatureOf(secret: string, claim: SignatureClaim, request: SignedRequest): string {
  const { day, region, service } = claim
  const stringToSign = [
    algorithm,
    amzDateOf(request.headers) ?? '',
    `${day}/${region}/${service}/aws4_request`,
    sha256(canonicalRequest(claim, request)),
  ].join('\n')
  const signingKey = [day, region, service, 'aws4_request'].reduce<string | Buffer>(
    (key, part) => createHmac('sha256', key).update(part).digest(),
    `AWS4${secret}`,
  )
  return createHmac('sha256', signingKey).update(stringToSign).digest('hex')
}

function canonicalRequest(claim: SignatureClaim, request: SignedRequest): string {
  const headers = claim.signedHeaders.map((name) => `${name}:${canonicalValue(request, name)}\n`)
  return [
    request.method,
    request.path,
    '',
    headers.join(''),
    claim.signedHeaders.join(';'),
    sha256(request.body),
  ].join('\n')
}

function canonicalValue(request: SignedRequest, name: string): string {
  const value = request.headers[name]
  const text = Array.isArray(value) ? value.join(',') : (value ?? '')
  return text.trim().replace(/ +/g, ' ')
}

function sha256(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex')
}

/** The time of signing as `YYYYMMDDTHHMMSSZ`, from x-amz-date or else Date. */
export function amzDateOf(headers: IncomingHttpHeaders): string | undefined {
  const amzDate = headers['x-amz-date']
  if (typeof amzDate === 'string') return /^\d{8}T\d{6}Z$/.test(amzDate) ? amzDate : undefined
  const time = Date.parse(headers.date ?? '')
  return Number.isNaN(time) ? undefined : formatAmzDate(time)
}

export function formatAmzDate(timeMs: number): string {
  return new Date(timeMs).toISOString().replace(/[-:]|\.\d{3}/g, '')
}

export function parseAmzDate(text: string): number {
  return Date.parse(text.replace(/^(\d{4})(\d\d)(\d\dT\d\d)(\d\d)(\d\dZ)$/, '$1-$2-$3:$4:$5'))
}
