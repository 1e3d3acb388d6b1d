import { createRequire } from 'node:module'
import { type Transferable, Worker } from 'node:worker_threads'

/** The threads of a pull; package.json names the file of each (`imports`). */
type ThreadKind = 'pack' | 'encode' | 'copy' | 'compose'

/** V8 would give each thread's young objects 48 MiB; most of these threads make few. */
const fewObjects = { maxYoungGenerationSizeMb: 4 }

/**
 * Starts a thread of our own, without the environment: none of them needs what may be secret there.
 * @param transferList Ports within the data.
 */
export function startThread(
  kind: ThreadKind,
  workerData: object,
  transferList: Transferable[] = [],
): Worker {
  const file = createRequire(import.meta.url).resolve(`#${kind}-worker`)
  return new Worker(file, {
    workerData,
    transferList,
    resourceLimits: kind === 'compose' ? {} : fewObjects,
    name: kind,
    execArgv: [],
    env: {},
  })
}
