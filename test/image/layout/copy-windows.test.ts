import fc from 'fast-check'
import { expect, test } from 'vitest'
import { windowsOf } from '../../../src/image/layout/copy-windows.ts'
import type { CopiedRange } from '../../../src/image/layout/image-layout.ts'

/** Pieces of two files, in turn, one after the other in the target. */
function rangesFrom(start: number, sizes: readonly number[]): CopiedRange[] {
  let target = start
  return sizes.map((sizeBytes, index) => {
    const range = { source: index % 2, position: index * 4099, sizeBytes, target }
    target += sizeBytes
    return range
  })
}

test('windows hold all bytes of the ranges in their order, and end where windows do', () =>
  fc.assert(
    fc.property(fc.nat(10_000), fc.array(fc.nat(20_000)), fc.nat(3), (start, sizes, gaps) => {
      const windowBytes = 4096
      const ranges = rangesFrom(start, sizes).map((range, index) => ({
        ...range,
        target: range.target + (index % 4 < gaps ? 100_000 * index : 0),
      }))
      const copied: CopiedRange[] = []
      for (const { target, sizeBytes, pieces } of windowsOf(ranges, windowBytes)) {
        expect(Math.floor(target / windowBytes)).toBe(
          Math.floor((target + sizeBytes - 1) / windowBytes),
        )
        let at = target
        for (const piece of pieces) {
          const last = copied.at(-1)
          const goesOn =
            last?.source === piece.source &&
            last.position + last.sizeBytes === piece.position &&
            last.target + last.sizeBytes === at
          if (goesOn) last.sizeBytes += piece.sizeBytes
          else copied.push({ ...piece, target: at })
          at += piece.sizeBytes
        }
        expect(at).toBe(target + sizeBytes)
      }
      const filled = ranges.filter(({ sizeBytes }) => sizeBytes > 0)
      expect(copied).toEqual(filled)
    }),
  ))
