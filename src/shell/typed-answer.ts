/** One line typed in raw mode in answer to a question: echoed and edited here, for readline never sees it. */

const carriageReturn = 0x0d
const lineFeed = 0x0a
const endOfInput = 0x04
const backspaces = [0x08, 0x7f]
const escapeKey = 0x1b

export class TypedAnswer {
  readonly line: Promise<string>
  readonly #echo: (text: string) => void
  #typed = ''
  #end: (line: string) => void = () => undefined

  /** @param echo Writes to the screen what is typed. */
  constructor(echo: (text: string) => void) {
    this.#echo = echo
    this.line = new Promise((resolve) => {
      this.#end = resolve
    })
  }

  /** @returns What came after the end of the line; undefined while the line goes on. */
  take(chunk: Buffer): Buffer | undefined {
    if (chunk[0] === escapeKey) return undefined // an arrow key or the like: one line of digits needs none
    for (const [at, byte] of chunk.entries()) {
      if (byte === carriageReturn || byte === lineFeed || byte === endOfInput) {
        this.#echo('\n')
        this.#end(this.#typed)
        return chunk.subarray(at + 1)
      }
      if (backspaces.includes(byte)) this.#erase()
      else if (byte >= 0x20 && byte < 0x7f) this.#add(String.fromCharCode(byte))
    }
    return undefined
  }

  #add(letter: string): void {
    this.#typed += letter
    this.#echo(letter)
  }

  #erase(): void {
    if (this.#typed === '') return
    this.#typed = this.#typed.slice(0, -1)
    this.#echo('\b \b')
  }
}
