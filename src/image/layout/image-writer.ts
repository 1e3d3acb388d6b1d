/**
 * Writes the squashfs image of packed layers: what is copied comes from here, all else from the composer,
 * at the same time (FORMATS § 1.1). The output is complete only when this returns.
 */
import { throwIfCancelled } from '../../errors/cancelled.ts'
import { headBytes, misleadsRuntimes } from '../../sif/detect-image.ts'
import type { AtomicFile } from '../../storage/atomic-file.ts'
import type { ComposeOrder, Composer } from '../compose/composer.ts'
import { writeFully } from '../write-fully.ts'
import type { CopyAhead } from './copy-ahead.ts'
import { ImageCopier } from './image-copier.ts'
import type { CopiedRange } from './image-layout.ts'
import { LayerFiles } from './range-copy.ts'

export type ImageWriteOptions = {
  readonly order: ComposeOrder
  readonly composer: Composer
  /** Where the squashfs image begins in the output; 0 but for SIF. */
  readonly base: number
  /** What is being copied already, in the hope that it is right; its maker closes it. */
  readonly ahead?: CopyAhead | undefined
  readonly onProgress?: (done: number, total: number) => void
  readonly signal?: AbortSignal | undefined
}

export type WrittenImage = {
  /** Padded length of the squashfs image in bytes, a multiple of 4096. */
  readonly paddedBytes: number
  /** What was copied into it as it was, in the order of the targets. */
  readonly ranges: readonly CopiedRange[]
}

/**
 * @throws {SregistryError} CANCELLED, LIMIT_EXCEEDED (more than 65,535 ids), IMAGE_INVALID (a damaged
 *   packed layer).
 */
export async function writeSquashfsImage(
  output: AtomicFile,
  options: ImageWriteOptions,
): Promise<WrittenImage> {
  const files = new LayerFiles(options.order.paths)
  try {
    await files.open()
    const written = await writeFrom(output, files, options)
    if (options.base > 0 || !(await misleads(output))) return written
    // once more with the data behind what a runtime looks at; zeros may stand before it
    await writeFully(output.handle, new Uint8Array(headBytes), 0)
    const order = { ...options.order, dataStart: headBytes }
    return await writeFrom(output, files, { ...options, order, ahead: undefined })
  } finally {
    await files.close()
  }
}

async function writeFrom(
  output: AtomicFile,
  files: LayerFiles,
  options: ImageWriteOptions,
): Promise<WrittenImage> {
  const { composer, base, onProgress } = options
  const stop = new AbortController()
  const signal = anySignal(stop.signal, options.signal)
  const copier = await ImageCopier.start(files, output.handle, options.ahead)
  try {
    const { ranges, copiedEnd } = await composer.layOut(options.order)
    throwIfCancelled(options.signal, 'writing the image')
    let done = 0
    const onBytes = (bytes: number) => {
      done += bytes
      onProgress?.(done, copiedEnd)
    }
    const { copied } = await copier.begin(ranges, { base, signal, onBytes })
    const tasks = [composer.write(), copied] as const
    try {
      const [paddedBytes] = await Promise.all(tasks)
      return { paddedBytes, ranges }
    } catch (error) {
      // the first that fails ends the other, and nobody writes any more when this returns
      stop.abort()
      await composer.close()
      await Promise.allSettled(tasks)
      throw error
    }
  } finally {
    await copier.close()
  }
}

function anySignal(stop: AbortSignal, given: AbortSignal | undefined): AbortSignal {
  return given === undefined ? stop : AbortSignal.any([stop, given])
}

/** Whether a runtime would take a bare squashfs for a SIF or a script: by its first bytes. */
async function misleads({ handle }: AtomicFile): Promise<boolean> {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(headBytes), 0, headBytes, 0)
  return misleadsRuntimes(buffer.subarray(0, bytesRead))
}
