/** The compiled WebAssembly of assembly/, which `npm run build` makes. */
import { setFlagsFromString } from 'node:v8'
import { compile, instantiate } from '../errors/no-memory.ts'

/** May be handed to a worker, which then has what V8 made of it so far. */
export type RecoderModule = WebAssembly.Module

let loaded: RecoderModule | undefined

/** The module, read and compiled at the first call. */
export function recoderModule(): RecoderModule {
  if (loaded !== undefined) return loaded
  // the launcher turns V8's second compiler off, without which this takes twice the time
  setFlagsFromString('--no-liftoff-only')
  setFlagsFromString('--wasm-tier-up')
  loaded = compile('#recoder.wasm')
  return loaded
}

/** Takes the module that another thread has compiled. */
export function useRecoderModule(module: RecoderModule): void {
  loaded = module
}

/** What assembly/index.ts exports. Addresses and lengths are bytes. */
export type RecoderExports = {
  readonly memory: { readonly buffer: ArrayBuffer }
  begin(blockBytes: number, tries: number, doubtfulLength: number): void
  inputStart(): number
  inputCapacity(): number
  beginStream(): void
  inflateInto(start: number, end: number, isEnd: boolean): number
  inputPosition(): number
  inflatedStart(): number
  inflatedEnd(): number
  rewindSequences(): void
  builderStart(number: number): number
  builderFilled(number: number, toMark: boolean): number
  appendInflated(number: number, start: number, count: number, position: number): void
  appendZeros(number: number, count: number): void
  markBuilder(number: number): void
  truncateBuilder(number: number): void
  encodeBlock(number: number, toMark: boolean): number
  storedStart(): number
  dropBlock(number: number, toMark: boolean): void
  sequencesStart(number: number): number
  sequencesFilled(number: number, toMark: boolean): number
  extentsStart(number: number): number
  extentsFilled(number: number, toMark: boolean): number
  setBuilder(number: number, filled: number, sequences: number, extents: number): void
}

export function instantiateRecoder(module: RecoderModule): RecoderExports {
  const abort = () => {
    throw new Error('the recoder has no memory')
  }
  return instantiate(module, 'packing a layer', { env: { abort } }) as RecoderExports
}
