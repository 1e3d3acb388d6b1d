/**
 * The tokens that open the data plane. As ECR's, the password is base64 of JSON that says when it
 * expires; ours is sealed by a key of this run, so that no table of issued tokens is needed.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'

export type TokenCheck =
  | { readonly state: 'valid' | 'expired'; readonly arn: string }
  | { readonly state: 'unknown' }

type Password = { payload: string; datakey: string; expiration: number }

export class AuthorizationTokens {
  readonly #key = randomBytes(32)
  #revokedBefore = 0
  #issued = 0

  /** The whole Basic parameter: base64 of `AWS:<password>`. */
  issue(arn: string, expiresAtMs: number): string {
    // 900 bytes of padding: clients must cope with tokens of several KB, as ECR's are
    const padding = randomBytes(900).toString('base64')
    this.#issued += 1
    const payload = Buffer.from(JSON.stringify({ arn, serial: this.#issued, padding })).toString(
      'base64',
    )
    const expiration = expiresAtMs / 1000
    const datakey = this.#seal(payload, expiration)
    const password = { payload, datakey, version: '2', type: 'DATA_KEY', expiration }
    const encoded = Buffer.from(JSON.stringify(password)).toString('base64')
    return Buffer.from(`AWS:${encoded}`).toString('base64')
  }

  /** Makes every token issued so far an expired one, as after twelve hours. */
  expireAll(): void {
    this.#revokedBefore = this.#issued
  }

  /** @param authorization The Authorization header, if there is one. */
  check(authorization: string | undefined, nowMs: number): TokenCheck {
    const password = parsePassword(authorization)
    if (password === undefined) return { state: 'unknown' }
    const seal = Buffer.from(this.#seal(password.payload, password.expiration))
    const given = Buffer.from(password.datakey)
    if (seal.length !== given.length || !timingSafeEqual(seal, given)) return { state: 'unknown' }
    const { arn, serial } = JSON.parse(Buffer.from(password.payload, 'base64').toString())
    const isOver = serial <= this.#revokedBefore || nowMs >= password.expiration * 1000
    return { state: isOver ? 'expired' : 'valid', arn }
  }

  #seal(payload: string, expiration: number): string {
    return createHmac('sha256', this.#key).update(`${payload}\n${expiration}`).digest('base64')
  }
}

function parsePassword(authorization: string | undefined): Password | undefined {
  const parameter = /^basic +(\S+)$/i.exec(authorization ?? '')?.[1]
  const [user, encoded] = splitUser(Buffer.from(parameter ?? '', 'base64').toString())
  if (user !== 'AWS') return undefined
  try {
    const { payload, datakey, expiration } = JSON.parse(Buffer.from(encoded, 'base64').toString())
    const isComplete = typeof payload === 'string' && typeof datakey === 'string'
    return isComplete && typeof expiration === 'number'
      ? { payload, datakey, expiration }
      : undefined
  } catch {
    return undefined // not JSON: a password that was never ours, which the caller answers with 401
  }
}

function splitUser(userAndPassword: string): [string, string] {
  const at = userAndPassword.indexOf(':')
  return at < 0
    ? [userAndPassword, '']
    : [userAndPassword.slice(0, at), userAndPassword.slice(at + 1)]
}
