/**
 * What the loader reads of an ELF program: its interpreter and the libraries that it needs.
 * Little-endian only, as all the machines are that Node runs Linux on except s390x.
 * @see System V ABI, chapters 4 and 5 (program header, dynamic section)
 */

export type ElfProgram = {
  /** Machine and word size: a library must have the same. */
  readonly abi: string
  /** PT_INTERP: absolute path of the dynamic loader; undefined for static programs and libraries. */
  readonly interpreter: string | undefined
  /** DT_NEEDED, in order. */
  readonly needed: readonly string[]
  /** DT_RUNPATH or DT_RPATH, `$ORIGIN` not yet replaced. */
  readonly runpath: readonly string[]
}

const pt = { load: 1, dynamic: 2, interp: 3 } as const
const dt = { needed: 1, strtab: 5, rpath: 15, runpath: 29 } as const

type Segment = { type: number; offset: number; address: number; sizeBytes: number }

type Layout = {
  readonly view: DataView
  readonly is64: boolean
}

/** Undefined for a file that is no little-endian ELF (a script, say). */
export function readElf(bytes: Uint8Array): ElfProgram | undefined {
  const isElf = Buffer.from(bytes.subarray(0, 4)).toString('latin1') === '\x7fELF'
  if (!isElf || bytes.byteLength < 64 || bytes[5] !== 1) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const layout = { view, is64: bytes[4] === 2 }
  const segments = readSegments(layout)
  const interp = segments.find((segment) => segment.type === pt.interp)
  return {
    abi: `${bytes[4]}:${view.getUint16(18, true)}`,
    interpreter: interp && textAt(bytes, interp.offset),
    ...readDynamic(layout, segments, bytes),
  }
}

function readSegments({ view, is64 }: Layout): Segment[] {
  const start = is64 ? Number(view.getBigUint64(32, true)) : view.getUint32(28, true)
  const entryBytes = view.getUint16(is64 ? 54 : 42, true)
  const count = view.getUint16(is64 ? 56 : 44, true)
  return Array.from({ length: count }, (_, index) => {
    const at = start + index * entryBytes
    const word = (offset64: number, offset32: number) =>
      is64 ? Number(view.getBigUint64(at + offset64, true)) : view.getUint32(at + offset32, true)
    return {
      type: view.getUint32(at, true),
      offset: word(8, 4),
      address: word(16, 8),
      sizeBytes: word(32, 16),
    }
  })
}

function readDynamic(
  layout: Layout,
  segments: readonly Segment[],
  bytes: Uint8Array,
): Pick<ElfProgram, 'needed' | 'runpath'> {
  const dynamic = segments.find((segment) => segment.type === pt.dynamic)
  if (dynamic === undefined) return { needed: [], runpath: [] }
  const entries = readDynamicEntries(layout, dynamic)
  const strtab = entries.find(([tag]) => tag === dt.strtab)?.[1] ?? 0
  const base = fileOffset(segments, strtab)
  const texts = (...tags: number[]) =>
    entries.filter(([tag]) => tags.includes(tag)).map(([, value]) => textAt(bytes, base + value))
  const runpath = texts(dt.runpath, dt.rpath).flatMap((text) => text.split(':'))
  return { needed: texts(dt.needed), runpath }
}

function readDynamicEntries({ view, is64 }: Layout, dynamic: Segment): [number, number][] {
  const entryBytes = is64 ? 16 : 8
  return Array.from({ length: Math.floor(dynamic.sizeBytes / entryBytes) }, (_, index) => {
    const at = dynamic.offset + index * entryBytes
    return is64
      ? [Number(view.getBigInt64(at, true)), Number(view.getBigUint64(at + 8, true))]
      : [view.getInt32(at, true), view.getUint32(at + 4, true)]
  })
}

/** Where the bytes of a loaded address stand in the file. */
function fileOffset(segments: readonly Segment[], address: number): number {
  const home = segments.find(
    ({ type, address: start, sizeBytes }) =>
      type === pt.load && address >= start && address < start + sizeBytes,
  )
  return home === undefined ? address : address - home.address + home.offset
}

function textAt(bytes: Uint8Array, offset: number): string {
  const end = bytes.indexOf(0, offset)
  return Buffer.from(bytes.subarray(offset, end < 0 ? undefined : end)).toString('latin1')
}
