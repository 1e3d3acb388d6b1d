/** The compiled WebAssembly of assembly/, which `npm run build` makes. */
import { compile, instantiate } from '../errors/no-memory.ts'
import { damaged } from './index-decoder.ts'

/** Columns in the memory of an instance, in the order of their numbers there (assembly/columns.ts). */
export const decodedColumns = {
  text: 0,
  fragmentSizes: 1,
  kinds: 2,
  modes: 3,
  pathStarts: 4,
  pathLengths: 5,
  uids: 6,
  gids: 7,
  mtimes: 8,
  firsts: 9,
  seconds: 10,
  xattrs: 11,
  sizes: 12,
  positions: 13,
  identityStarts: 14,
  identityLengths: 15,
  fragments: 16,
  offsets: 17,
  blockStarts: 18,
  blocks: 19,
} as const

/** What may be wrong with an index, by number (assembly/host.ts). */
const damages = [
  'the index is cut',
  'a number is too large',
  'a count is too large',
  'a number stands for nothing',
  'a file lies outside its fragment',
  'a file has lost blocks',
  'the size of a block is wrong',
  'a block lies outside the file',
] as const

type Global = { readonly value: number }

/** What assembly/index.ts exports. Addresses, lengths and counts may come as negative numbers. */
export type EntryDecoderExports = {
  readonly memory: { readonly buffer: ArrayBuffer }
  /** How far the index has been read. */
  readonly end: Global
  readonly xattrCount: Global
  readonly contentCount: Global
  readonly blockCount: Global
  reserve(textBytes: number, entriesStart: number, entries: number, fragments: number): void
  addressOf(column: number): number
  decode(
    textBytes: number,
    from: number,
    entries: number,
    fragments: number,
    dataEnd: number,
    blockSize: number,
  ): void
}

/** An instance takes 10 GiB of addresses: one serves all indexes of a thread. */
let instance: EntryDecoderExports | undefined
/** Memory is never given back, so one that has grown beyond this is not kept. */
const keptBytes = 64 * 1024 * 1024

/** What the thread's instance makes of an index. @throws {SregistryError} LIMIT_EXCEEDED where there is no memory. */
export function withEntryDecoder<T>(work: (decoder: EntryDecoderExports) => T): T {
  instance ??= instantiateEntryDecoder()
  try {
    return work(instance)
  } finally {
    if (instance.memory.buffer.byteLength > keptBytes) instance = undefined
  }
}

function instantiateEntryDecoder(): EntryDecoderExports {
  const module = compile('#entries.wasm')
  const refuse = (damage: number) => {
    throw damaged(damages[damage] ?? 'it cannot be read')
  }
  return instantiate(module, 'the entries of a layer', { host: { refuse } }) as EntryDecoderExports
}
