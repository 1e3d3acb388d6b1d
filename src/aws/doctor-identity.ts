/** The doctor's first four rungs: who we are, as far as AWS is concerned. */
import type { Sourced } from './aws-setting-finder.ts'
import type { AwsSettings } from './aws-settings.ts'
import { describeCredentials } from './credentials.ts'
import type { DoctorCase, Finding } from './doctor-case.ts'
import { clockSkewMs, describeSkew, maxSkewMs } from './server-clock.ts'

/** Rung 1. The settings are resolved by now: a malformed one has failed before. */
export function checkSettings(settings: AwsSettings): Finding {
  const { account, region, registryHost, endpoint } = settings
  const parts: readonly (readonly [string, Sourced<unknown> | undefined])[] = [
    ['region', region],
    ['account', account],
    ['registry', registryHost],
    ['control plane', endpoint],
  ]
  const known = parts.filter(([, setting]) => setting !== undefined)
  return {
    status: 'ok',
    evidence: known.map(([name, setting]) => `${name} ${setting?.value}`).join(', '),
    source: known.map(([name, setting]) => `${name}: ${setting?.source}`).join(', '),
    details: Object.fromEntries(known),
  }
}

/** Rung 2. */
export async function checkCredentials(one: DoctorCase): Promise<Finding> {
  const { controlPlane } = one.connection
  const found = await describeCredentials(controlPlane, one.settings, one.signal)
  const end = found.expiresAt === undefined ? '' : `, until ${found.expiresAt.toISOString()}`
  const kind = found.isTemporary ? 'session key' : 'key'
  const finding = {
    evidence: `${kind} ${found.keyId}${end}`,
    source: found.source,
    details: { ...found },
  }
  const doubt = credentialDoubt(one, found.expiresAt)
  return doubt === undefined
    ? { status: 'ok', ...finding }
    : { status: 'warning', ...finding, mend: doubt }
}

const soonMs = 15 * 60 * 1000

function credentialDoubt(one: DoctorCase, expiresAt: Date | undefined): string | undefined {
  const { env, settings } = one
  if (expiresAt !== undefined && expiresAt.getTime() - one.now() < soonMs) {
    return 'they end within a quarter of an hour: start a new session before a long pull'
  }
  if (settings.keyPair === undefined && env['AWS_PROFILE'] && env['AWS_ACCESS_KEY_ID']) {
    return 'AWS_PROFILE and AWS_ACCESS_KEY_ID are both set, and the profile wins: unset the one you do not mean'
  }
  return undefined
}

/** Rung 3. Any answer of AWS carries its time; the token's request is needed anyway. */
export async function checkClock(one: DoctorCase): Promise<Finding> {
  // A failure is rung 4's to tell.
  await one.connection.tokens.get(one.signal).catch(() => undefined)
  const { clock } = one.connection.controlPlane
  if (clock === undefined) return { status: 'skipped', evidence: 'AWS has not answered' }
  const skewMs = clockSkewMs(clock)
  const evidence = describeSkew(skewMs)
  const details = { skewMs }
  if (Math.abs(skewMs) < 60_000) return { status: 'ok', evidence, details }
  const mend = 'set the clock: timedatectl set-ntp true'
  const isRefused = Math.abs(skewMs) >= maxSkewMs
  return {
    status: 'warning',
    evidence: isRefused ? `${evidence}: more than AWS accepts (5 min)` : evidence,
    mend,
    details,
  }
}

/** Rung 4. */
export async function checkToken(one: DoctorCase): Promise<Finding> {
  const token = await one.connection.tokens.get(one.signal)
  const account = /^\d{12}/.exec(token.registryHost)?.[0]
  return {
    status: 'ok',
    evidence: `for ${token.registryUrl}, until ${token.expiresAt.toISOString()}`,
    source: 'ECR GetAuthorizationToken',
    details: {
      registryUrl: token.registryUrl,
      expiresAt: token.expiresAt,
      ...(account === undefined ? {} : { account }),
    },
  }
}
