/**
 * Failures of the place where a registry keeps its layers (S3 behind ECR, a CDN behind others). Their
 * bodies are XML or pages, and nothing of them but the error's code says anything to people.
 * @see Amazon S3 API Reference, "Error responses"
 */
import { type ErrorCode, SregistryError } from '../errors/sregistry-error.ts'
import type { AskedFor } from './registry-answer.ts'
import type { SmallAnswer } from './transport.ts'

/** What helps against a limit that belongs to an account or to a place. */
export const fewerAtATime =
  'it is tried again by itself; wait a minute, or load fewer layers at a time: SREGISTRY_PYTHON_THREADS=1'

export const laterHint = 'the trouble is on its side: run it again later'

type Told = { readonly code: ErrorCode; readonly says: string; readonly hint: string }

/** @param storage `host[:port]` that answered. */
export function storageError(
  answer: SmallAnswer,
  asked: AskedFor,
  storage: string,
): SregistryError {
  const { code, says, hint } = toldOf(answer, asked.what)
  const place = `${storage}, where ${asked.host} keeps its layers,`
  return new SregistryError(code, `${place} ${says}`, { hint })
}

function toldOf(answer: SmallAnswer, what: string): Told {
  const { status } = answer
  const code = storageCode(answer)
  const answered = `answered ${status}${code === undefined ? '' : ` (${code})`} for ${what}`
  if (status === 429 || code === 'SlowDown') {
    const says = `asks for fewer requests${code === undefined ? '' : ` (${code})`}`
    return { code: 'THROTTLED', says, hint: fewerAtATime }
  }
  if (status === 404) return { code: 'BLOB_UNKNOWN', says: answered, hint: 'push the image again' }
  if (status >= 500) {
    const hint = `${laterHint}; what is complete is kept`
    return { code: 'REGISTRY_ERROR', says: answered, hint }
  }
  return { code: 'ACCESS_DENIED', says: answered, hint: refusedHint }
}

// The registry's own signature let us in: who has no right to the layer does not come here.
const refusedHint =
  'its signed address was refused: a proxy may have changed it; behind a VPC endpoint for S3, the endpoint’s policy must allow s3:GetObject there'

/** S3's `<Error><Code>SlowDown</Code>…`: a word, and no more than that is believed. */
function storageCode({ bytes }: SmallAnswer): string | undefined {
  return /<Code>([A-Za-z]{1,64})<\/Code>/.exec(new TextDecoder().decode(bytes))?.[1]
}
