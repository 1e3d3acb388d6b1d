/**
 * Questions that a running statement has for the user, as the code of an MFA device. The clients are made
 * before the prompt is there, so they hold this, and the prompt says how it asks. How a question goes is
 * loaded with the first one (ask-question.ts): hardly any session has one, and all wait for their prompt.
 */

/** Asks; what it leaves behind when the signal fires is its own to clean up. */
export type Asker = (question: string, signal: AbortSignal) => Promise<string>

export class Questions {
  #asker: Asker | undefined

  /** @param asker Used until a prompt says otherwise. Default: nobody can be asked. */
  constructor(asker?: Asker) {
    this.#asker = asker
  }

  /** Whether there is somebody to ask. */
  get isAnswered(): boolean {
    return this.#asker !== undefined
  }

  answerWith(asker: Asker): void {
    this.#asker = asker
  }

  /**
   * @param what What is needed, for the error: `the code of the MFA device …`.
   * @throws {SregistryError} as askQuestion.
   */
  async ask(what: string): Promise<string> {
    const { askQuestion } = await import('./ask-question.ts')
    return askQuestion(what, this.#asker)
  }
}
