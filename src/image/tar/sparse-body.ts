import type { SparseSegment } from './sparse-map.ts'

/** Turns the stored bytes of a sparse file into data and holes, in the order of the file. */
export class SparseBody {
  private segment = 0
  /** Bytes of the current segment that have passed. */
  private passed = 0
  private position = 0
  private readonly map: readonly SparseSegment[]
  private readonly realSize: number
  private readonly sink: { data(bytes: Buffer): void; hole(sizeBytes: number): void }

  constructor(
    map: readonly SparseSegment[],
    realSize: number,
    sink: { data(bytes: Buffer): void; hole(sizeBytes: number): void },
  ) {
    this.map = map
    this.realSize = realSize
    this.sink = sink
  }

  /** The map holds exactly as many bytes as are written (checkSparseMap). */
  write(bytes: Buffer): void {
    let rest = bytes
    for (;;) {
      const segment = this.map[this.segment]
      if (rest.length === 0 || segment === undefined) return
      this.holeUntil(segment.offset)
      const part = rest.subarray(0, segment.sizeBytes - this.passed)
      if (part.length > 0) this.sink.data(part)
      this.position += part.length
      this.passed += part.length
      rest = rest.subarray(part.length)
      if (this.passed === segment.sizeBytes) this.nextSegment()
    }
  }

  /** The hole after the last stored byte. */
  end(): void {
    this.holeUntil(this.realSize)
  }

  private nextSegment(): void {
    this.segment += 1
    this.passed = 0
  }

  private holeUntil(offset: number): void {
    if (this.passed > 0 || offset <= this.position) return
    this.sink.hole(offset - this.position)
    this.position = offset
  }
}
