/**
 * Runs jobs one after the other, outside the async context of the REPL. Start it before `repl.start`:
 * what node:repl evaluates itself lives in a domain (Node < 26) that prints errors of background work
 * into the middle of a running command and forbids listeners for uncaughtException. To see it: type
 * `setTimeout(() => { throw 1 })` and then `await sleep(1)` into a REPL with an `eval` of its own.
 */
export type Job = () => Promise<void>

export class EvaluationLoop {
  readonly #queue: Job[] = []
  readonly #finished: Promise<void>
  #wake: () => void = () => undefined
  #closed = false

  constructor() {
    this.#finished = this.#run()
  }

  /** @param job Must not reject: what fails is shown by the job itself. */
  push(job: Job): void {
    this.#queue.push(job)
    this.#wake()
  }

  /** Finishes the jobs that are queued and resolves when the last is done. */
  close(): Promise<void> {
    this.#closed = true
    this.#wake()
    return this.#finished
  }

  async #run(): Promise<void> {
    while (true) {
      const job = this.#queue.shift()
      if (job !== undefined) {
        await job()
      } else if (this.#closed) {
        return
      } else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve
        })
      }
    }
  }
}
