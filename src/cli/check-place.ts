/**
 * Where a saved session is run by `sregistry shell --check`: a place of its own, so that it neither depends
 * on what was pulled before nor leaves anything behind. Storage, cache and catalogue are empty; a session
 * that `needs: local-ecr` gets one, and none of the user's settings.
 */
import { rmSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { LocalEcr } from '../local-ecr/local-ecr.ts'
import type { CheckPlace } from '../shell/check-session.ts'
import type { Questions } from '../shell/questions.ts'
import { Session } from './session.ts'
import { ShellClients } from './shell-clients.ts'

export type CheckPlaceOptions = {
  /** What the saved session says it needs: `local-ecr`, or nothing. */
  readonly needs: string | undefined
  /** The client that the command line names. */
  readonly client: string | undefined
  readonly questions: Questions
}

export async function openCheckPlace(
  session: Session,
  { needs, client, questions }: CheckPlaceOptions,
): Promise<CheckPlace> {
  const work = await mkdtemp(join(tmpdir(), 'sregistry-check-'))
  const remove = (): void => rmSync(work, { recursive: true, force: true })
  const interrupt = (): void => process.exit(130)
  process.once('exit', remove).once('SIGINT', interrupt)
  const ecr = needs === 'local-ecr' ? await startEcr(join(work, 'ecr')) : undefined
  const { stdout, stderr, flags, tuneEngine } = session
  const env = ownEnvironment(session.env, work, ecr)
  const own = new Session(tuneEngine, { env, stdout, stderr, flags })
  const clients = new ShellClients(own, questions)
  const close = async (): Promise<void> => {
    await clients.close()
    await ecr?.close()
    process.off('exit', remove).off('SIGINT', interrupt)
    remove()
  }
  try {
    return { env, client: clients.first(client), createClient: clients.create, close }
  } catch (error) {
    await close() // a local ECR that listens would keep the process
    throw error
  }
}

function ownEnvironment(
  users: NodeJS.ProcessEnv,
  work: string,
  ecr: LocalEcr | undefined,
): NodeJS.ProcessEnv {
  const env = ecr === undefined ? users : { ...withoutSettings(users), HOME: work }
  return {
    ...env,
    ...ecr?.environment,
    SREGISTRY_STORAGE: join(work, 'shub'),
    SREGISTRY_DATABASE: work,
    SINGULARITY_CACHEDIR: work,
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
