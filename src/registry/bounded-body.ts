/** Small bodies, read whole but never beyond a bound. */
import { SregistryError } from '../errors/sregistry-error.ts'

export type BoundedReading = {
  /** What is read, for the message. */
  readonly what: string
  /** True: what lies beyond the bound is left away (error pages). False: it is an error. */
  readonly isCut: boolean
}

/**
 * @throws {SregistryError} LIMIT_EXCEEDED when more than `maxBytes` come and nothing may be cut.
 */
export async function readAtMost(
  body: AsyncIterable<Uint8Array> | null | undefined,
  maxBytes: number,
  reading: BoundedReading,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let sizeBytes = 0
  for await (const chunk of body ?? []) {
    chunks.push(chunk)
    sizeBytes += chunk.byteLength
    // leaving the loop cancels the body and frees its connection
    if (sizeBytes > maxBytes) break
  }
  if (sizeBytes > maxBytes && !reading.isCut) {
    throw new SregistryError('LIMIT_EXCEEDED', `${reading.what} is larger than ${maxBytes} bytes`)
  }
  const whole = Buffer.concat(chunks)
  return whole.byteLength > maxBytes ? whole.subarray(0, maxBytes) : whole
}
