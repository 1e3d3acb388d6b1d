/** Who has the terminal while a statement runs: the gate in raw mode, the kernel, or another program. */
import type { InputGate } from './input-gate.ts'

export class TerminalMode {
  readonly #gate: InputGate
  readonly #onEcho: (error: unknown) => void
  #isLent = false
  #isSynchronous = false

  /** @param onEcho Called with what a synchronous run threw: at Ctrl-C the kernel has echoed `^C`. */
  constructor(gate: InputGate, onEcho: (error: unknown) => void) {
    this.#gate = gate
    this.#onEcho = onEcho
  }

  /** Another program has it, and Ctrl-C is for that one. */
  get isLent(): boolean {
    return this.#isLent
  }

  /** Out of raw mode Ctrl-C is a signal, which ends even `while (true) {}` (vm's breakOnSigint). */
  synchronously<Result>(run: () => Result): Result {
    if (!this.#gate.isRaw || this.#isSynchronous) return run()
    this.#isSynchronous = true
    this.#gate.setRawMode(false)
    try {
      return run()
    } catch (error) {
      this.#onEcho(error)
      throw error
    } finally {
      this.#gate.setRawMode(true)
      this.#isSynchronous = false
    }
  }

  async lend<Result>(run: () => Promise<Result>): Promise<Result> {
    this.#isLent = true
    try {
      return await this.#gate.lend(run)
    } finally {
      this.#isLent = false
    }
  }

  /** What readline does on Ctrl-Z, which it does not see while the gate is held. */
  suspend(): void {
    this.#gate.setRawMode(false)
    process.once('SIGCONT', () => this.#gate.setRawMode(true))
    process.kill(process.pid, 'SIGTSTP')
  }
}
