/** One that waits is woken by each change, and looks again whether it is the one it waits for. */
export class Change {
  #wake: (() => void) | undefined

  /** Until the next notify. */
  next(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve
    })
  }

  notify(): void {
    this.#wake?.()
    this.#wake = undefined
  }
}
