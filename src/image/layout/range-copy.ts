/** Copying ranges of packed layers into the image, with reading and writing overlapped. */
import type { Stats } from 'node:fs'
import { throwIfCancelled } from '../../errors/cancelled.ts'
import { SregistryError } from '../../errors/sregistry-error.ts'
import { isDiskError } from '../../storage/disk-error.ts'
import { type OpenFile, openInThread } from '../../storage/thread-file.ts'
import { writeFully } from '../write-fully.ts'
import { windowsOf } from './copy-windows.ts'
import type { CopiedRange } from './image-layout.ts'

/** Big enough that system calls don't count, small enough that two buffers are nothing. */
const windowBytes = 4 * 1024 * 1024

/** The packed layers of one image, opened once. The maker closes it; closing twice is harmless. */
export class LayerFiles {
  readonly paths: readonly string[]
  private readonly handles: OpenFile[] = []

  constructor(paths: readonly string[]) {
    this.paths = paths
  }

  /** @throws {SregistryError} STORAGE when one is not there any more. */
  async open(): Promise<void> {
    for (const path of this.paths) this.handles.push(await openLayer(path))
  }

  /** @throws {SregistryError} IMAGE_INVALID when the file ends before the range does. */
  async read(source: number, buffer: Uint8Array, position: number): Promise<void> {
    const handle = this.handles[source]
    let filled = 0
    while (handle !== undefined && filled < buffer.length) {
      const { bytesRead } = await handle.read(
        buffer,
        filled,
        buffer.length - filled,
        position + filled,
      )
      if (bytesRead === 0) break
      filled += bytesRead
    }
    if (filled < buffer.length) throw cutShort(this.paths[source])
  }

  /** Their descriptors, in the order of the paths. */
  get descriptors(): readonly number[] {
    return this.handles.map((handle) => handle.fd)
  }

  /** How many of the first ones are the very files that another has opened. */
  async sameAs(other: LayerFiles): Promise<number> {
    const [own, others] = await Promise.all([this.#stats(), other.#stats()])
    const first = own.findIndex(
      ({ dev, ino }, index) => dev !== others[index]?.dev || ino !== others[index]?.ino,
    )
    return first < 0 ? own.length : first
  }

  async sizeBytes(): Promise<number> {
    return (await this.#stats()).reduce((sum, { size }) => sum + size, 0)
  }

  async close(): Promise<void> {
    await Promise.all(this.handles.splice(0).map((handle) => handle.close()))
  }

  #stats(): Promise<Stats[]> {
    return Promise.all(this.handles.map((handle) => handle.stat()))
  }
}

/** `cache clean` spares what was used within an hour, but a pull may take longer than that. */
async function openLayer(path: string): Promise<OpenFile> {
  try {
    return await openInThread(path, 'r')
  } catch (error) {
    if (!isDiskError(error, 'ENOENT')) throw error
    throw new SregistryError('STORAGE', `the packed layer ${path} was removed during the pull`, {
      hint: 'run it again: only that layer is packed anew',
    })
  }
}

/** The error for a packed layer that ends before what its index names. */
export function cutShort(path: string | undefined): SregistryError {
  return new SregistryError('IMAGE_INVALID', `the packed layer ${path} is cut short`, {
    hint: 'remove it and pull again; it is made anew',
  })
}

export type CopyOptions = {
  /** Added to every target: where the squashfs image begins in the output. */
  readonly base: number
  readonly onBytes?: (bytes: number) => void
  readonly signal?: AbortSignal | undefined
}

/** Copies all ranges to their targets. @throws {SregistryError} CANCELLED, IMAGE_INVALID. */
export async function copyRanges(
  layers: LayerFiles,
  output: OpenFile,
  ranges: readonly CopiedRange[],
  options: CopyOptions,
): Promise<void> {
  const buffers = [Buffer.allocUnsafeSlow(windowBytes), Buffer.allocUnsafeSlow(windowBytes)]
  let writing: Promise<unknown> = Promise.resolve()
  let turn = 0
  try {
    for (const { target, sizeBytes, pieces } of windowsOf(ranges, windowBytes)) {
      throwIfCancelled(options.signal, 'writing the image')
      const chunk = (buffers[turn] as Buffer).subarray(0, sizeBytes)
      turn = 1 - turn
      let filled = 0
      for (const piece of pieces) {
        const part = chunk.subarray(filled, filled + piece.sizeBytes)
        await layers.read(piece.source, part, piece.position)
        filled += piece.sizeBytes
      }
      await writing
      writing = writeFully(output, chunk, options.base + target)
      // observed here too, so that a failure during the next read is not an unhandled rejection
      writing.catch(() => undefined)
      options.onBytes?.(sizeBytes)
    }
  } finally {
    await writing
  }
}
