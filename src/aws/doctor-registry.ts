/** The doctor's rungs 5 to 8: what the registry has, and whether its bytes arrive. */
import { isSregistryError } from '../errors/sregistry-error.ts'
import type { DoctorCase, Finding } from './doctor-case.ts'
import { nearNames } from './near-names.ts'
import { describeRepository, listRepositories } from './repositories.ts'

/** Rung 5: DNS, TLS and proxy are told apart by the error that the probe throws. */
export async function checkEndpoint(one: DoctorCase): Promise<Finding> {
  const startedAt = one.now()
  await one.probes.ping(one.signal)
  const tookMs = Math.round(one.now() - startedAt)
  const host = one.settings.registryHost?.value ?? (await tokenHost(one))
  return {
    status: 'ok',
    evidence: `${host}/v2/ answered 200 in ${tookMs} ms`,
    details: { host, tookMs },
  }
}

async function tokenHost(one: DoctorCase): Promise<string> {
  return (await one.connection.tokens.get(one.signal)).registryHost
}

/** Names are counted up to this; the lists go on for ever in large organisations. */
const mostNames = 5000

/**
 * Rung 6. Browsing may be forbidden where pulling is allowed (AmazonEC2ContainerRegistryPullOnly):
 * that is a warning, no failure.
 */
export async function checkRepositories(one: DoctorCase): Promise<Finding> {
  try {
    return one.repository === undefined
      ? await listed(one)
      : await checkRepository(one, one.repository)
  } catch (error) {
    if (!isSregistryError(error) || error.code !== 'ACCESS_DENIED') throw error
    return {
      status: 'warning',
      evidence: `cannot browse: ${error.message}`,
      mend: 'pulling needs no browsing; to browse: sregistry policy browse',
      code: error.code,
    }
  }
}

async function listed(one: DoctorCase): Promise<Finding> {
  const names = await repositoryNames(one)
  if (names.length === 0) {
    return {
      status: 'warning',
      evidence: 'the registry has no repositories',
      mend: "make one: sregistry create NAME, or client.createRepository('NAME')",
    }
  }
  const count = names.length >= mostNames ? `${mostNames} or more` : String(names.length)
  const first = names.slice(0, 5).join(', ')
  return {
    status: 'ok',
    evidence: `${count}: ${first}${names.length > 5 ? ' …' : ''}`,
    details: { count: names.length, first: names.slice(0, 5) },
  }
}

async function checkRepository(one: DoctorCase, repository: string): Promise<Finding> {
  try {
    const found = await describeRepository(one.connection.controlPlane, repository, owner(one))
    return {
      status: 'ok',
      evidence: `${found.name} is there (${found.uri})`,
      details: { ...found },
    }
  } catch (error) {
    if (!isSregistryError(error) || error.code !== 'NAME_UNKNOWN') throw error
    const near = nearNames(repository, await namesIfAllowed(one))
    return {
      status: 'failed',
      evidence: error.message,
      code: error.code,
      mend:
        near.length > 0
          ? `did you mean ${near.join(', ')}?`
          : `create it: client.createRepository('${repository}'), or sregistry doctor --create ${repository}`,
    }
  }
}

/** Rung 7. */
export async function checkImage(one: DoctorCase): Promise<Finding> {
  const { image: probe } = one.probes
  if (probe === undefined) return notAsked
  const image = await probe(one.signal)
  const platform = image.platform === undefined ? '' : `${image.platform}, `
  return {
    status: 'ok',
    evidence: `${image.digest.slice(0, 19)}… ${platform}${image.layers} layers, ${sizeOf(image.sizeBytes)}`,
    details: { ...image },
  }
}

function sizeOf(bytes: number): string {
  const kibibytes = bytes / 1024
  return kibibytes < 1000 ? `${kibibytes.toFixed(1)} KiB` : `${(kibibytes / 1024).toFixed(1)} MiB`
}

const notAsked: Finding = {
  status: 'skipped',
  evidence: 'no image was named: with a NAME:TAG it looks at that one',
}

/** Rung 8: "manifest works, layers hang" is a blocked storage host. */
export async function checkLayers(one: DoctorCase): Promise<Finding> {
  const { firstLayerByte } = one.probes
  if (firstLayerByte === undefined) return notAsked
  const { host, platform } = await firstLayerByte(one.signal)
  const evidence = `for ${platform}, the first byte came from ${host}`
  return { status: 'ok', evidence, details: { host, platform } }
}

async function repositoryNames(one: DoctorCase): Promise<readonly string[]> {
  const names: string[] = []
  for await (const { name } of listRepositories(one.connection.controlPlane, owner(one))) {
    names.push(name)
    if (names.length >= mostNames) break
  }
  return names
}

// Offered beside a failure that is told anyway: without the right to list, nothing is offered.
async function namesIfAllowed(one: DoctorCase): Promise<readonly string[]> {
  try {
    return await repositoryNames(one)
  } catch (error) {
    if (isSregistryError(error) && error.code === 'CANCELLED') throw error
    return []
  }
}

function owner({ settings, signal }: DoctorCase): { registryId?: string; signal?: AbortSignal } {
  return {
    ...(settings.account === undefined ? {} : { registryId: settings.account.value }),
    ...(signal === undefined ? {} : { signal }),
  }
}
