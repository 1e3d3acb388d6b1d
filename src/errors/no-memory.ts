import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { SregistryError } from './sregistry-error.ts'

/** @param what It is for, as in `the tables of the image`. */
export function noMemory(what: string, cause?: unknown): SregistryError {
  return new SregistryError('LIMIT_EXCEEDED', `there is not enough memory for ${what}`, {
    hint: 'run it where a process may use more memory and more addresses (ulimit -v)',
    cause,
  })
}

/** @param name Of its file, as package.json has it (`imports`): `#tables.wasm`. */
export function compile(name: string): WebAssembly.Module {
  return new WebAssembly.Module(readFileSync(createRequire(import.meta.url).resolve(name)))
}

/**
 * An instance of a module of WebAssembly.
 * @param what Its memory is for, V8 setting aside 10 GiB of addresses.
 * @returns its exports.
 * @throws {SregistryError} LIMIT_EXCEEDED where there is no memory; so does the instance where it wants more.
 */
export function instantiate(module: WebAssembly.Module, what: string, imports: object): object {
  const refuseMemory = () => {
    throw noMemory(what)
  }
  try {
    const all = { ...imports, 'no-memory': { noMemory: refuseMemory } }
    return new WebAssembly.Instance(module, all).exports
  } catch (error) {
    throw error instanceof RangeError ? noMemory(what, error) : error
  }
}
