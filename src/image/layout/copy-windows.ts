/**
 * What is copied by one write each: windows of the target, whose bytes come from one range or from many.
 * Ranges that follow one another in the target fall into windows that begin and end at multiples of the
 * window's size, the first and the last of them excepted.
 */
import type { CopiedRange } from './image-layout.ts'

/** A part of one packed layer. */
export type Piece = {
  readonly source: number
  readonly position: number
  readonly sizeBytes: number
}

export type CopyWindow = {
  /** Position in the target. */
  readonly target: number
  readonly sizeBytes: number
  /** What it is made of, one after the other. */
  readonly pieces: readonly Piece[]
}

/** @param windowBytes A power of two. */
export function* windowsOf(
  ranges: readonly CopiedRange[],
  windowBytes: number,
): Generator<CopyWindow> {
  let pieces: Piece[] = []
  let target = 0
  let sizeBytes = 0
  for (const range of ranges) {
    if (sizeBytes > 0 && range.target !== target + sizeBytes) {
      yield { target, sizeBytes, pieces }
      sizeBytes = 0
    }
    for (let done = 0; done < range.sizeBytes; ) {
      if (sizeBytes === 0) {
        pieces = []
        target = range.target + done
      }
      const room = windowBytes - ((target + sizeBytes) % windowBytes)
      const taken = Math.min(room, range.sizeBytes - done)
      pieces.push({ source: range.source, position: range.position + done, sizeBytes: taken })
      sizeBytes += taken
      done += taken
      if (taken < room) continue
      yield { target, sizeBytes, pieces }
      sizeBytes = 0
    }
  }
  if (sizeBytes > 0) yield { target, sizeBytes, pieces }
}
