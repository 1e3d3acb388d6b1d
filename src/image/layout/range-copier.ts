/** Copies much: past the page cache where that can be, and otherwise on a thread of its own. */
import type { FileHandle } from 'node:fs/promises'
import { CopyThread } from './copy-thread.ts'
import { DirectCopier } from './direct-copier.ts'
import type { CopiedRange } from './image-layout.ts'
import type { CopyOptions, LayerFiles } from './range-copy.ts'

/** Copies once. Whoever starts one closes it, when nothing is copied any more; twice is harmless. */
export type RangeCopier = {
  /** As `copyRanges`; nothing is written any more when it returns. */
  copy(ranges: readonly CopiedRange[], options: CopyOptions): Promise<void>
  close(): Promise<void>
}

export async function startCopier(layers: LayerFiles, output: FileHandle): Promise<RangeCopier> {
  return (await DirectCopier.start(layers, output)) ?? new CopyThread(layers, output)
}
