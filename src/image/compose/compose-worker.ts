/** The composing thread's own end (compose-thread.ts has the other). */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { packFailure } from '../thread-failure.ts'
import type {
  ComposeCall,
  ComposeResult,
  ComposeThreadData,
  FromComposeThread,
  ToComposeThread,
} from './compose-messages.ts'
import { LocalComposer } from './composer.ts'

if (parentPort !== null) serve(parentPort, workerData as ComposeThreadData)

function serve(port: MessagePort, { options, expected }: ComposeThreadData): void {
  const tell = (message: FromComposeThread) => port.postMessage(message)
  const composer = new LocalComposer(options, (text) => tell({ kind: 'note', text }))
  const merging = mergeExpected(composer, expected)
  port.on('message', ({ call, wanted }: ToComposeThread) => {
    answer(composer, merging, wanted).then(
      (result) => tell({ kind: 'done', call, result }),
      (error: unknown) => tell({ kind: 'failed', call, failure: packFailure(error) }),
    )
  })
}

/** What cannot be merged is tried again when it is asked for, and told then. */
async function mergeExpected(composer: LocalComposer, paths: readonly string[]): Promise<void> {
  try {
    for (const path of paths) await composer.merge(path)
  } catch {
    composer.restart()
  }
}

async function answer(
  composer: LocalComposer,
  merging: Promise<void>,
  wanted: ComposeCall,
): Promise<ComposeResult> {
  if (wanted.method === 'read') return composer.read(wanted.path)
  await merging
  if (wanted.method === 'layOut') return composer.layOut(wanted.paths, wanted.dataStart)
  return composer.write()
}
