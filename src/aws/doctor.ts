/**
 * The ladder that the ancestor's guide climbs by hand, as data: each rung with its result, its
 * evidence and its mend. What a failed rung makes meaningless is not tried.
 * @see DESIGN § 7
 */
import { isSregistryError, SregistryError } from '../errors/sregistry-error.ts'
import {
  type DoctorCase,
  type DoctorOptions,
  type Finding,
  type RungKey,
  type RungResult,
  rungs,
} from './doctor-case.ts'
import { checkClock, checkCredentials, checkSettings, checkToken } from './doctor-identity.ts'
import { checkEndpoint, checkImage, checkLayers, checkRepositories } from './doctor-registry.ts'
import { controlPlaneHost } from './partition.ts'
import { hostsToAllow } from './policy.ts'

type Rung = {
  readonly key: RungKey
  readonly check: (one: DoctorCase) => Promise<Finding>
  /** Rungs that must not have failed. */
  readonly needs: readonly RungKey[]
  /** Ends with the doctor's patience: a blocked host is silent, and a pull would try it for minutes. */
  readonly isLimited?: true
}

const defaultPatienceMs = 20_000

const ladder: readonly Rung[] = [
  { key: 'credentials', check: checkCredentials, needs: ['settings'] },
  { key: 'clock', check: checkClock, needs: ['settings', 'credentials'] },
  { key: 'token', check: checkToken, needs: ['settings', 'credentials'] },
  { key: 'endpoint', check: checkEndpoint, needs: ['token'], isLimited: true },
  { key: 'repositories', check: checkRepositories, needs: ['token'] },
  { key: 'image', check: checkImage, needs: ['endpoint', 'repositories'], isLimited: true },
  { key: 'layers', check: checkLayers, needs: ['image'], isLimited: true },
]

/**
 * Climbs the ladder; gives each of the nine results as soon as it is known.
 * @throws {SregistryError} CANCELLED alone; every other failure is a result.
 */
export async function* runDoctor(options: DoctorOptions): AsyncGenerator<RungResult> {
  const failed = new Set<RungKey>()
  const first = openCase(options)
  if (first.case === undefined) failed.add('settings')
  yield result('settings', first.finding)
  for (const rung of ladder) {
    const finding = await climb(rung, first.case, failed)
    if (finding.status === 'failed' || isBlocked(rung, failed)) failed.add(rung.key)
    yield result(rung.key, finding)
  }
  const storage = await safely(async () => ({
    status: 'ok',
    evidence: await options.probes.storage(options.signal),
  }))
  yield result('storage', storage)
}

/** Whether nothing failed: what the exit code says. */
export function isHealthy(results: readonly RungResult[]): boolean {
  return results.every(({ status }) => status !== 'failed')
}

function openCase(options: DoctorOptions): { finding: Finding; case?: DoctorCase } {
  const { open, now, ...shared } = options
  try {
    const opened = open()
    const one = { ...shared, ...opened, now: now ?? Date.now }
    return { finding: checkSettings(opened.settings), case: one }
  } catch (error) {
    return { finding: failure(error) }
  }
}

async function climb(
  rung: Rung,
  one: DoctorCase | undefined,
  failed: ReadonlySet<RungKey>,
): Promise<Finding> {
  const blocker = rung.needs.find((key) => failed.has(key))
  if (blocker !== undefined || one === undefined) {
    return { status: 'skipped', evidence: `not tried: ${blocker ?? 'settings'} failed` }
  }
  return rung.isLimited ? withinPatience(rung, one) : safely(() => rung.check(one))
}

async function withinPatience(rung: Rung, one: DoctorCase): Promise<Finding> {
  const limitMs = one.patienceMs ?? defaultPatienceMs
  const stop = new AbortController()
  const timer = setTimeout(() => stop.abort(), limitMs)
  const forward = (): void => stop.abort(one.signal?.reason)
  one.signal?.addEventListener('abort', forward, { once: true })
  try {
    return await safely(() => rung.check({ ...one, signal: stop.signal }))
  } catch (error) {
    if (!stop.signal.aborted || one.signal?.aborted) throw error
    return silence(one, limitMs)
  } finally {
    clearTimeout(timer)
    one.signal?.removeEventListener('abort', forward)
  }
}

/** "The manifest works, the layers hang": what drops packets says nothing, so all hosts are named. */
function silence({ settings, connection }: DoctorCase, limitMs: number): Finding {
  const { region } = connection.controlPlane
  const host = settings.registryHost?.value ?? 'the registry’s host'
  const hosts = hostsToAllow(host, controlPlaneHost(region, settings.variant), region)
  return {
    status: 'failed',
    evidence: `no answer within ${Math.ceil(limitMs / 1000)} s`,
    mend: `a firewall must let through: ${hosts.join(', ')}; or set HTTPS_PROXY`,
    code: 'TIMEOUT',
  }
}

function isBlocked(rung: Rung, failed: ReadonlySet<RungKey>): boolean {
  return rung.needs.some((key) => failed.has(key))
}

async function safely(check: () => Promise<Finding>): Promise<Finding> {
  try {
    return await check()
  } catch (error) {
    if (isSregistryError(error) && error.code === 'CANCELLED') throw error
    return failure(error)
  }
}

/** An error as a finding. */
function failure(error: unknown): Finding {
  const known = isSregistryError(error)
    ? error
    : new SregistryError('INTERNAL', 'the check itself failed', { cause: error })
  return {
    status: 'failed',
    evidence: known.message,
    code: known.code,
    ...(known.hint === undefined ? {} : { mend: known.hint }),
  }
}

function result(key: RungKey, finding: Finding): RungResult {
  const at = rungs.findIndex((rung) => rung.key === key)
  return { rung: at + 1, key, title: rungs[at]?.title ?? key, ...finding }
}
