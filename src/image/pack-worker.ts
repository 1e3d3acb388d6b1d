/** The packing thread's own end (pack-in-thread.ts has the other): packs the one layer it is made for. */
import { once } from 'node:events'
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { useRecoderModule } from '../deflate/recoder-module.ts'
import { createBlockCompressor } from '../squashfs/block-compressor.ts'
import { writePackedLayer } from './pack-layer.ts'
import type { FromPackThread, PackThreadData, ToPackThread } from './pack-thread-messages.ts'
import { PackingSlots } from './packing-slots.ts'
import { RemoteEncoders } from './remote-encoders.ts'
import { packFailure } from './thread-failure.ts'

if (parentPort !== null) void packFrom(parentPort, workerData as PackThreadData)

async function packFrom(port: MessagePort, data: PackThreadData): Promise<void> {
  const tell = (message: FromPackThread) => port.postMessage(message)
  useRecoderModule(data.recoder)
  const remote = new RemoteEncoders(data.encoders, data.parameters.blockSize)
  try {
    await writePackedLayer(received(port, data.ring, tell), {
      ...data,
      compressor: createBlockCompressor(data.parameters.compression),
      slots: new PackingSlots(),
      reusesChunks: true,
      remote,
    })
    tell({ kind: 'packed' })
  } catch (error) {
    tell({ kind: 'failed', failure: packFailure(error) })
  } finally {
    remote.close()
    port.close()
  }
}

/** The bytes of the blob as they come: views of the ring, good until the next is asked for. */
async function* received(
  port: MessagePort,
  shared: SharedArrayBuffer,
  tell: (message: FromPackThread) => void,
): AsyncGenerator<Uint8Array> {
  const ring = new Uint8Array(shared)
  const queue: ToPackThread[] = []
  port.on('message', (message: ToPackThread) => queue.push(message))
  for (let at = 0; ; ) {
    const next = queue.shift()
    if (next === 'end') return
    if (next === undefined) {
      await once(port, 'message')
      continue
    }
    // the writer begins at the ring's start again rather than cut a piece
    yield ring.subarray(at, at + next)
    at = (at + next) % ring.length
    tell({ kind: 'taken', bytes: next })
  }
}
