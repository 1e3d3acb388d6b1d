/** Presigned URLs of the blob storage, in the form of S3's query authentication. */
import { createHmac, randomBytes, randomUUID, timingSafeEqual } from 'node:crypto'
import { formatAmzDate, parseAmzDate } from './sigv4.ts'

export type UrlCheck = 'valid' | 'expired' | 'forged'

export class PresignedUrls {
  readonly #key = randomBytes(32)
  readonly #credential = `ASIA${randomBytes(8).toString('hex').toUpperCase()}`

  /** Path and query that open this blob until they expire. */
  sign(digest: string, nowMs: number, expiresSeconds: number, region: string): string {
    const date = formatAmzDate(nowMs)
    const path = `/${randomUUID()}/${digest}`
    const query = new URLSearchParams({
      'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
      'X-Amz-Date': date,
      'X-Amz-SignedHeaders': 'host',
      'X-Amz-Expires': String(expiresSeconds),
      'X-Amz-Credential': `${this.#credential}/${date.slice(0, 8)}/${region}/s3/aws4_request`,
    })
    query.set('X-Amz-Signature', this.#signature(path, query))
    return `${path}?${query}`
  }

  check(path: string, query: URLSearchParams, nowMs: number): UrlCheck {
    const given = Buffer.from(query.get('X-Amz-Signature') ?? '')
    const expected = Buffer.from(this.#signature(path, query))
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) return 'forged'
    const signedMs = parseAmzDate(query.get('X-Amz-Date') ?? '')
    const lifeMs = Number(query.get('X-Amz-Expires')) * 1000
    return nowMs >= signedMs + lifeMs ? 'expired' : 'valid'
  }

  #signature(path: string, query: URLSearchParams): string {
    const signed = [...query].filter(([name]) => name.startsWith('X-Amz-') && !isSignature(name))
    const text = [path, ...signed.map(([name, value]) => `${name}=${value}`).sort()].join('\n')
    return createHmac('sha256', this.#key).update(text).digest('hex')
  }
}

function isSignature(name: string): boolean {
  return name === 'X-Amz-Signature'
}
