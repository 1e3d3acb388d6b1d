import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { editDistance, nearNames } from '../../src/aws/near-names.ts'

describe('names near a mistyped one', () => {
  const names = ['library/busybox', 'library/debian', 'team/tool', 'team/tools-extra', 'v1.2.3']
  test.each([
    ['library/busibox', ['library/busybox']],
    ['busybox', ['library/busybox']],
    ['other/tool', ['team/tool']],
    ['v1.2.4', ['v1.2.3']],
    ['nothing-like-it', []],
  ])('%s', (wanted, expected) => {
    expect(nearNames(wanted, names)).toEqual(expected)
  })

  test('are at most three, best first', () => {
    const tags = ['1.0.0', '1.0.1', '1.0.2', '1.0.10', '1.1.1']
    expect(nearNames('1.0.3', tags)).toEqual(['1.0.0', '1.0.1', '1.0.2'])
  })
})

test('the distance is symmetric, zero for the same name alone, and obeys the triangle', () => {
  const name = fc.string({ maxLength: 12 })
  fc.assert(
    fc.property(name, name, name, (a, b, c) => {
      expect(editDistance(a, b)).toBe(editDistance(b, a))
      expect(editDistance(a, b) === 0).toBe(a === b)
      expect(editDistance(a, c)).toBeLessThanOrEqual(editDistance(a, b) + editDistance(b, c))
    }),
  )
})
