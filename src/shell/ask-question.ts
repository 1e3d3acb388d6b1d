import { cancelled } from '../errors/cancelled.ts'
import { SregistryError } from '../errors/sregistry-error.ts'
import { untilAborted } from '../errors/until-aborted.ts'
import { currentStatement } from './interrupt.ts'
import type { Asker } from './questions.ts'

/**
 * Asks for what the statement that runs needs; its interruption ends the question.
 * @throws {SregistryError} CREDENTIALS_MISSING for work that no statement waits for, which would take
 *   its answer from another line; CANCELLED.
 */
export async function askQuestion(what: string, asker: Asker | undefined): Promise<string> {
  const statement = currentStatement.getStore()
  if (asker === undefined || statement === undefined || statement.isAbandoned) {
    throw new SregistryError('CREDENTIALS_MISSING', `${what} is needed, and nobody waits for it`, {
      hint: 'make the call at the prompt and wait for it: await client.whoami()',
    })
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
