import { SregistryError } from './sregistry-error.ts'

/** The error that every cancelled operation ends with. */
export function cancelled(what: string, cause?: unknown): SregistryError {
  return new SregistryError('CANCELLED', `${what} was cancelled`, { cause })
}

/** @throws {SregistryError} CANCELLED when the signal has fired. */
export function throwIfCancelled(signal: AbortSignal | undefined, what: string): void {
  if (signal?.aborted) throw cancelled(what, signal.reason)
}
