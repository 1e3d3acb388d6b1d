import type { CopiedRange } from './image-layout.ts'

/** What a copying thread is to do, once; nothing when it is to end. */
export type CopyOrder = {
  readonly ranges: readonly CopiedRange[]
  /** Descriptors of the packed layers, and of the image. */
  readonly sources: readonly number[]
  readonly output: number
  /** Not 0 when the thread is to stop. */
  readonly stop: Int32Array
}

export type CopyOutcome =
  | { readonly type: 'done' | 'stopped' }
  | { readonly type: 'cut'; readonly source: number }
  | { readonly type: 'failed'; readonly message: string; readonly system: object }

export type CopyMessage = CopyOutcome | { readonly type: 'copied'; readonly bytes: number }
