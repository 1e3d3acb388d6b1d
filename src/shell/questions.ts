/**
 * Questions that a running statement has for the user, as the code of an MFA device. The clients are made
 * before the prompt is there, so they hold this, and the prompt says how it asks.
 */
import { cancelled } from '../errors/cancelled.ts'
import { SregistryError } from '../errors/sregistry-error.ts'
import { untilAborted } from '../errors/until-aborted.ts'
import { currentStatement } from './interrupt.ts'

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
   * @throws {SregistryError} CREDENTIALS_MISSING for work that no statement waits for, which would take
   *   its answer from another line; CANCELLED.
   */
  async ask(what: string): Promise<string> {
    const statement = currentStatement.getStore()
    const asker = this.#asker
    if (asker === undefined || statement === undefined || statement.isAbandoned) {
      throw new SregistryError(
        'CREDENTIALS_MISSING',
        `${what} is needed, and nobody waits for it`,
        {
          hint: 'make the call at the prompt and wait for it: await client.whoami()',
        },
      )
    }
    const resume = statement.progress.pause()
    const answer = await untilAborted(asker(`${what}: `, statement.signal), statement.signal)
      .catch((error) => {
        throw statement.signal.aborted ? cancelled('the question') : error
      })
      .finally(resume)
    if (answer.trim() === '') throw cancelled('the question')
    return answer.trim()
  }
}
