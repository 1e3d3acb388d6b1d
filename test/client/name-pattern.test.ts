import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isGlob, namePattern, splitHost } from '../../src/client/name-pattern.ts'

describe('a pattern', () => {
  test.each([
    [undefined, 'library/busybox', true],
    ['', 'library/busybox', true],
    ['bus', 'library/busybox', true],
    ['BUS', 'library/busybox', false],
    ['library/*', 'library/busybox', true],
    ['library/*', 'mylibrary/busybox', false],
    ['*box', 'library/busybox', true],
    ['l?brary/*', 'library/a/b', true],
    ['a.b*', 'axb', false],
    ['a+(b)*', 'a+(b)c', true],
    ['*', '', true],
  ])('%j and %j: %j', (pattern, name, expected) => {
    expect(namePattern(pattern)(name)).toBe(expected)
  })

  test.each(['*'.repeat(5000), 'a*'.repeat(200)])('many stars are quick: %#', (stars) => {
    const startedAt = performance.now()
    expect(namePattern(`${stars}x`)('a'.repeat(5000))).toBe(false)
    expect(performance.now() - startedAt).toBeLessThan(2000)
  })

  test('a glob means what the regular expression of it means', () => {
    const letters = fc.constantFrom('a', 'b', '*', '?', '.', '/')
    const texts = fc.array(letters, { maxLength: 8 }).map((parts) => parts.join(''))
    fc.assert(
      fc.property(texts.filter(isGlob), texts, (pattern, name) => {
        const source = pattern.replaceAll('.', '\\.').replaceAll('*', '.*').replaceAll('?', '.')
        expect(namePattern(pattern)(name)).toBe(new RegExp(`^${source}$`, 's').test(name))
      }),
      { numRuns: 2000 },
    )
  })
})

test.each([
  ['library/*', { pattern: 'library/*' }],
  ['aws://library/*', { pattern: 'library/*' }],
  ['host:5000/lib*', { registry: 'host:5000', pattern: 'lib*' }],
  [
    '1.dkr.ecr.us-east-1.amazonaws.com/*',
    { registry: '1.dkr.ecr.us-east-1.amazonaws.com', pattern: '*' },
  ],
  ['*.b/c', { pattern: '*.b/c' }],
  ['busybox:1.36', { pattern: 'busybox:1.36' }],
  ['', { pattern: '' }],
])('the host of %j', (text, expected) => {
  expect(splitHost(text)).toEqual(expected)
})
