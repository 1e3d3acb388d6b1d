/** The compiled WebAssembly of assembly/, which `npm run build` makes. */
import { compile, instantiate } from '../errors/no-memory.ts'

/** Columns of the tree in the memory of an instance, in the order of their numbers there (assembly/tree.ts). */
export const tableColumns = {
  kinds: 0,
  modes: 1,
  uids: 2,
  gids: 3,
  mtimes: 4,
  pathStarts: 5,
  pathLengths: 6,
  firsts: 7,
  seconds: 8,
  xattrSets: 9,
  inodes: 10,
  sizes: 11,
  starts: 12,
  fragments: 13,
  offsets: 14,
  blockStarts: 15,
  blockEnds: 16,
  homes: 17,
  directoryModes: 18,
  directoryUids: 19,
  directoryGids: 20,
  directoryMtimes: 21,
  directoryXattrSets: 22,
  nameEnds: 23,
  childEnds: 24,
  children: 25,
  blocks: 26,
} as const

/** Why an entry is refused, by number (assembly/host.ts). */
export const refusals = [
  'long-name',
  'bad-name',
  'symlink-target',
  'device-number',
  'content',
  'no-listing',
] as const

/** What the module asks for; whatever is thrown there comes out of the call that was made. */
export type TablesHost = {
  storeBlock(
    table: number,
    address: number,
    sizeBytes: number,
    references: number,
    count: number,
  ): void
  indexOfId(id: number): number
  idOfXattrs(set: number): number
  refuse(reason: number, first: number, second: number): void
}

type Global = { readonly value: number }

/** What assembly/index.ts exports. Addresses and lengths are bytes; u32s may come as negative numbers. */
export type TablesExports = {
  readonly memory: { readonly buffer: ArrayBuffer }
  readonly lastDirectory: Global
  readonly lastChild: Global
  readonly inodeCount: Global
  reserveTree(
    leaves: number,
    contents: number,
    blocks: number,
    directories: number,
    children: number,
    leafTextBytes: number,
    nameBytes: number,
  ): void
  addressOf(column: number): number
  textStart(): number
  typesStart(): number
  addPart(
    leaf: number,
    leaves: number,
    content: number,
    contents: number,
    textStart: number,
    blockStart: number,
  ): void
  begin(blockSize: number): void
  number(most: number): number
  write(most: number): number
  rootBlock(): number
  rootOffset(): number
  nameStart(child: number): number
  nameLength(child: number): number
}

/** What its memory is for. */
export const memoryUse = 'the tables of the image'

let loaded: WebAssembly.Module | undefined

/** An instance, which encodes one tree. @throws {SregistryError} LIMIT_EXCEEDED where there is no memory. */
export function instantiateTables(host: TablesHost): TablesExports {
  loaded ??= compile('#tables.wasm')
  return instantiate(loaded, memoryUse, { host }) as TablesExports
}
