import fc from 'fast-check'
import { expect, test } from 'vitest'
import { formatContentRange, parseContentRange } from '../../src/registry/byte-range.ts'

test('a Content-Range is read as it was written', () =>
  fc.assert(
    fc.property(
      fc.nat(),
      fc.nat(),
      fc.option(fc.nat(), { nil: undefined }),
      (start, more, rest) => {
        const end = start + more
        const range = { start, end, total: rest === undefined ? undefined : end + 1 + rest }
        expect(parseContentRange(formatContentRange(range))).toEqual(range)
      },
    ),
  ))

test.each([
  [undefined],
  [''],
  ['bytes */5'],
  ['bytes 5-4/10'],
  ['bytes 0-10/10'],
  ['bytes -1-4/10'],
  ['items 0-4/10'],
  ['bytes 0-99999999999999999999/*'],
  ['bytes 0-4/10, 5-9/10'],
])('%s makes no sense', (header) => {
  expect(parseContentRange(header)).toBeUndefined()
})
