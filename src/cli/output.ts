/**
 * What the commands print: results on stdout, everything else on stderr. Writes are awaited, so that a
 * full disk is noticed and a closed pipe (`| head -1`) ends the program in silence.
 */
import { SregistryError } from '../errors/sregistry-error.ts'

export class Output {
  readonly #stream: NodeJS.WriteStream
  #pending: Promise<void> = Promise.resolve()
  #failure: Error | undefined

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream
    // without a listener a closed pipe is an uncaught error with a stack
    stream.on('error', (error: Error) => {
      this.#failure ??= error
    })
  }

  /** Prints a line; what becomes of it is known after `flush`. */
  line(text: string): void {
    this.write(`${text}\n`)
  }

  write(text: string | Uint8Array): void {
    if (this.#failure !== undefined) return
    const written = new Promise<void>((resolve) => {
      this.#stream.write(text, (error) => {
        if (error) this.#failure ??= error
        resolve()
      })
    })
    this.#pending = Promise.all([this.#pending, written]).then(() => undefined)
  }

  /** Whether the reader has gone: then there is nobody to tell anything. */
  get isClosed(): boolean {
    return this.#failure !== undefined && 'code' in this.#failure && this.#failure.code === 'EPIPE'
  }

  /** @throws {SregistryError} DISK_FULL or STORAGE when something could not be written. */
  async flush(): Promise<void> {
    await this.#pending
    if (this.#failure === undefined || this.isClosed) return
    const code = 'code' in this.#failure ? String(this.#failure.code) : 'an error'
    throw new SregistryError(
      code === 'ENOSPC' ? 'DISK_FULL' : 'STORAGE',
      `the output could not be written (${code})`,
      { hint: 'look at where stdout goes', cause: this.#failure },
    )
  }
}
