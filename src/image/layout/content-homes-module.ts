/** The compiled WebAssembly of assembly/, which `npm run build` makes. */
import { compile, instantiate } from '../../errors/no-memory.ts'

/** Columns in the memory of an instance, in the order of their numbers there (assembly/columns.ts). */
export const homeColumns = {
  named: 0,
  kinds: 1,
  firsts: 2,
  sizes: 3,
  positions: 4,
  fragments: 5,
  offsets: 6,
  identityStarts: 7,
  identityLengths: 8,
  text: 9,
} as const

/** What assembly/index.ts exports. Addresses may come as negative numbers. */
export type ContentHomesExports = {
  readonly memory: { readonly buffer: ArrayBuffer }
  reserve(leaves: number, contents: number, textBytes: number, secret: number): void
  addressOf(column: number): number
  markLive(leaf: number, leaves: number, content: number, fileKind: number): void
  addContents(layer: number, content: number, contents: number): void
  finish(): void
  homesStart(): number
  homesFound(): number
  doublesStart(): number
  doublesFound(): number
}

/** What its memory is for. */
export const memoryUse = 'the contents of the image'

let loaded: WebAssembly.Module | undefined

/** An instance, which serves one image. @throws {SregistryError} LIMIT_EXCEEDED where there is no memory. */
export function instantiateContentHomes(): ContentHomesExports {
  loaded ??= compile('#content-homes.wasm')
  return instantiate(loaded, memoryUse, {}) as ContentHomesExports
}
