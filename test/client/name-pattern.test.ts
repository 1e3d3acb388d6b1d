import { describe, expect, test } from 'vitest'
import { namePattern, splitHost } from '../../src/client/name-pattern.ts'

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

  test('many stars are quick', () => {
    const startedAt = performance.now()
    expect(namePattern(`${'*'.repeat(5000)}x`)('a'.repeat(5000))).toBe(false)
    expect(performance.now() - startedAt).toBeLessThan(1000)
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
