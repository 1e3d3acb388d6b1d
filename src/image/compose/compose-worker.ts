/** The composing thread's own end (compose-thread.ts has the other). */
import { type MessagePort, parentPort } from 'node:worker_threads'
import type { StoredTables } from '../../squashfs/linked-tables.ts'
import { packFailure } from '../thread-failure.ts'
import type {
  ComposeBegin,
  ComposeCall,
  ComposeResult,
  FromComposeThread,
  ToComposeThread,
} from './compose-messages.ts'
import { LocalComposer } from './composer.ts'
import { optimiseLate } from './late-optimising.ts'
import { RemoteTables } from './remote-tables.ts'

if (parentPort !== null) serve(parentPort)

function serve(port: MessagePort): void {
  // the end of the thread ends it (compose-thread.ts)
  optimiseLate()
  let image: ComposedImage | undefined
  port.on('message', (message: ToComposeThread) => {
    if (message.kind === 'begin') image = new ComposedImage(port, message)
    else if (message.kind === 'stored') image?.hearStored(message.tables)
    else void image?.answer(message)
  })
}

/** The one image that a thread composes. */
class ComposedImage {
  readonly #port: MessagePort
  readonly #composer: LocalComposer
  readonly #merging: Promise<void>
  #onStored: ((tables: StoredTables) => void) | undefined

  constructor(port: MessagePort, { options, expected }: ComposeBegin) {
    this.#port = port
    this.#composer = new LocalComposer(options, {
      onNote: (text) => this.#tell({ kind: 'note', text }),
      makeTables: () => this.#makeTables(),
    })
    this.#merging = mergeExpected(this.#composer, expected)
  }

  hearStored(tables: StoredTables): void {
    this.#onStored?.(tables)
  }

  async answer({ call, wanted }: Extract<ToComposeThread, { kind: 'call' }>): Promise<void> {
    try {
      this.#tell({ kind: 'done', call, result: await this.#resultOf(wanted) })
    } catch (error) {
      this.#tell({ kind: 'failed', call, failure: packFailure(error) })
    }
  }

  async #resultOf(wanted: ComposeCall): Promise<ComposeResult> {
    if (wanted.method === 'read') return this.#composer.read(wanted.path)
    await this.#merging
    if (wanted.method === 'write') return this.#composer.write()
    return this.#composer.layOut(wanted.order)
  }

  #makeTables(): RemoteTables {
    const stored = new Promise<StoredTables>((resolve) => {
      this.#onStored = resolve
    })
    return new RemoteTables((blocks) => this.#tell({ kind: 'blocks', ...blocks }), stored)
  }

  #tell(message: FromComposeThread): void {
    this.#port.postMessage(message)
  }
}

/** What cannot be merged is tried again when it is asked for, and told then. */
async function mergeExpected(composer: LocalComposer, paths: readonly string[]): Promise<void> {
  try {
    for (const path of paths) await composer.merge(path)
  } catch {
    composer.restart()
  }
}
