/** Lines of a script, from text in hand or from a pipe that may still be written to. */

export class LineSource {
  readonly #chunks: AsyncIterator<Uint8Array | string> | undefined
  readonly #decoder = new TextDecoder()
  #lines: string[] = []
  #rest = ''
  #ended: boolean

  private constructor(text: string, chunks: AsyncIterator<Uint8Array | string> | undefined) {
    this.#chunks = chunks
    this.#ended = chunks === undefined
    this.#take(text)
    if (this.#ended) this.#finish()
  }

  static ofText(text: string): LineSource {
    return new LineSource(text, undefined)
  }

  static ofStream(stream: AsyncIterable<Uint8Array | string>): LineSource {
    return new LineSource('', stream[Symbol.asyncIterator]())
  }

  /** The next line without its end, or undefined at the end. Waits for a pipe to be written to. */
  async next(): Promise<string | undefined> {
    while (this.#lines.length === 0 && !this.#ended) {
      const chunk = await this.#chunks?.next()
      if (chunk === undefined || chunk.done === true) {
        this.#take(this.#decoder.decode())
        this.#finish()
      } else {
        const { value } = chunk
        this.#take(
          typeof value === 'string' ? value : this.#decoder.decode(value, { stream: true }),
        )
      }
    }
    return this.#lines.shift()
  }

  /** The next line, or its beginning, if it is here already; never waits. */
  peek(): string | undefined {
    return this.#lines[0] ?? (this.#rest === '' ? undefined : this.#rest)
  }

  #take(text: string): void {
    const parts = (this.#rest + text).split(/\r?\n/)
    this.#rest = parts.pop() ?? ''
    this.#lines.push(...parts)
  }

  #finish(): void {
    this.#ended = true
    if (this.#rest !== '') this.#lines.push(this.#rest)
    this.#rest = ''
  }
}
