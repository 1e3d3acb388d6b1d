import { SregistryError } from './sregistry-error.ts'

/** @param what It is for, as in `the tables of the image`. */
export function noMemory(what: string, cause?: unknown): SregistryError {
  return new SregistryError('LIMIT_EXCEEDED', `there is not enough memory for ${what}`, {
    hint: 'run it where a process may use more memory and more addresses (ulimit -v)',
    cause,
  })
}

/** Runs what instantiates WebAssembly, for whose memory V8 sets aside 10 GiB of addresses. */
export function withMemoryFor<T>(what: string, instantiate: () => T): T {
  try {
    return instantiate()
  } catch (error) {
    throw error instanceof RangeError ? noMemory(what, error) : error
  }
}
