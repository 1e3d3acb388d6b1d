/** What was typed in this session and what came of it, for `.save`. */

export type TranscriptEntry = {
  readonly prompt: string
  readonly source: string
  /** What it printed, in lines. */
  readonly output: readonly string[]
  readonly succeeded: boolean
}

const maxEntries = 1000

export class Transcript {
  readonly #entries: TranscriptEntry[] = []

  get entries(): readonly TranscriptEntry[] {
    return this.#entries
  }

  add(entry: TranscriptEntry): void {
    this.#entries.push(entry)
    if (this.#entries.length > maxEntries) this.#entries.shift()
  }
}
