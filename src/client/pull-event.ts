import type { BuildEvent } from '../image/build-event.ts'

/** What happens during a pull, in order. */
export type PullEvent =
  | BuildEvent
  | {
      readonly type: 'resolved'
      readonly name: string
      readonly digest: string
      readonly layers: number
      /** Compressed bytes of all layers. */
      readonly bytes: number
    }
