import { createRequire } from 'node:module'
import { type Transferable, Worker } from 'node:worker_threads'
import { SregistryError } from '../errors/sregistry-error.ts'

/** The threads of a pull; package.json names the file of each (`imports`). */
type ThreadKind = 'pack' | 'encode' | 'copy' | 'compose'

/** V8 would give each thread's young objects 48 MiB: more than any of them gains by, merging included. */
const fewObjects = { maxYoungGenerationSizeMb: 4 }

/**
 * Starts a thread of our own, without the environment: none of them needs what may be secret there.
 * @param transferList Ports within the data.
 * @throws {SregistryError} LIMIT_EXCEEDED where there are too many threads.
 */
export function startThread(
  kind: ThreadKind,
  workerData: object,
  transferList: Transferable[] = [],
): Worker {
  const file = createRequire(import.meta.url).resolve(`#${kind}-worker`)
  try {
    return new Worker(file, {
      workerData,
      transferList,
      resourceLimits: fewObjects,
      name: kind,
      execArgv: [],
      env: {},
    })
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ERR_WORKER_INIT_FAILED') throw cause
    throw new SregistryError('LIMIT_EXCEEDED', 'no further thread can be started', {
      hint: 'run it where a user may have more processes and threads (ulimit -u), or end some of yours',
      cause,
    })
  }
}
