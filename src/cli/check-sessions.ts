/**
 * `sregistry shell --check FILE…`: each saved session is run in a world of its own, so that it neither
 * depends on what was pulled before nor leaves anything behind. Storage, cache and catalogue are empty; a
 * session that `needs: local-ecr` gets one, and none of the user's settings.
 */
import { rmSync } from 'node:fs'
import { mkdtemp, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SregistryError } from '../errors/sregistry-error.ts'
import type { LocalEcr } from '../local-ecr/local-ecr.ts'
import { parseSession } from '../shell/session-file.ts'
import { Session } from './session.ts'

/** Runs one file in the session that it is given; resolves to its exit code. */
export type CheckFile = (session: Session, file: string) => Promise<number>

/** @returns 0 when every session keeps its word. */
export async function checkSessions(
  session: Session,
  files: readonly string[],
  check: CheckFile,
): Promise<number> {
  let code = 0
  for (const file of files) {
    const { needs } = parseSession(await readSession(file))
    code = Math.max(code, await inOwnWorld(session, needs, (own) => check(own, file)))
  }
  return code
}

async function readSession(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (cause) {
    throw new SregistryError('STORAGE', `${file} could not be read`, { cause })
  }
}

async function inOwnWorld<Result>(
  session: Session,
  needs: string | undefined,
  run: (own: Session) => Promise<Result>,
): Promise<Result> {
  const work = await mkdtemp(join(tmpdir(), 'sregistry-check-'))
  const remove = (): void => rmSync(work, { recursive: true, force: true })
  const interrupt = (): void => process.exit(130)
  process.once('exit', remove).once('SIGINT', interrupt)
  const ecr = needs === 'local-ecr' ? await startEcr(join(work, 'ecr')) : undefined
  const env = ecr === undefined ? session.env : { ...withoutSettings(session.env), HOME: work }
  const ownEnv = {
    ...env,
    ...ecr?.environment,
    SREGISTRY_STORAGE: join(work, 'shub'),
    SREGISTRY_DATABASE: work,
    SINGULARITY_CACHEDIR: work,
  }
  const { stdout, stderr, flags, tuneEngine } = session
  try {
    return await run(new Session(tuneEngine, { env: ownEnv, stdout, stderr, flags }))
  } finally {
    await ecr?.close()
    process.off('exit', remove).off('SIGINT', interrupt)
    remove()
  }
}

async function startEcr(root: string): Promise<LocalEcr> {
  const { startLocalEcr } = await import('../local-ecr/local-ecr.ts')
  return startLocalEcr({ root, seed: true })
}

function withoutSettings(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept = Object.entries(env).filter(([name]) => !/^(?:SREGISTRY|SINGULARITY|AWS)_/.test(name))
  return Object.fromEntries(kept)
}
