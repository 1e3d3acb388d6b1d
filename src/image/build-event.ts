/** What happens while an image is built, as data: cli/ and shell/ draw it, nobody below them prints. */
export type BuildEvent =
  | {
      readonly type: 'layer-start' | 'layer-reuse' | 'layer-done'
      readonly layer: number
      readonly label: string
      readonly bytes: number
    }
  | {
      readonly type: 'layer-progress'
      readonly layer: number
      readonly done: number
      readonly total: number
    }
  | { readonly type: 'write-progress'; readonly done: number; readonly total: number }
  | { readonly type: 'note'; readonly text: string }
  /** A finished line of the result, such as `Exploding …`. */
  | { readonly type: 'line'; readonly text: string }
