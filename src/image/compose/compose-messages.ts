import type { Digest } from '../../registry/digest.ts'
import type { StoredTables } from '../../squashfs/linked-tables.ts'
import type { ThreadFailure } from '../thread-failure.ts'
import type { ComposeOptions, ComposeOrder, CopyPlan } from './composer.ts'
import type { TableBlocks } from './remote-tables.ts'

/** What a composing thread is told first; it may wait for it. */
export type ComposeBegin = {
  readonly options: ComposeOptions
  /** Layers that the image probably begins with: read and merged before they are asked for. */
  readonly expected: readonly string[]
}

/** A call of one of the composer's methods. */
export type ComposeCall =
  | { readonly method: 'read'; readonly path: string }
  | { readonly method: 'layOut'; readonly order: ComposeOrder }
  | { readonly method: 'write' }

export type ToComposeThread =
  | ({ readonly kind: 'begin' } & ComposeBegin)
  | { readonly kind: 'call'; readonly call: number; readonly wanted: ComposeCall }
  /** The tables whose last blocks came before. */
  | { readonly kind: 'stored'; readonly tables: StoredTables }

export type ComposeResult = Digest | CopyPlan | number

export type FromComposeThread =
  | { readonly kind: 'done'; readonly call: number; readonly result: ComposeResult }
  | { readonly kind: 'failed'; readonly call: number; readonly failure: ThreadFailure }
  | { readonly kind: 'note'; readonly text: string }
  | ({ readonly kind: 'blocks' } & TableBlocks)
