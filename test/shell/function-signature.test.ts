import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { functionSignature } from '../../src/shell/function-signature.ts'

/** Written as people write it: the test runner would rewrite it. */
const written = (text: string): object => new Function(`return (${text})`)()

test.each([
  ['function f(a, b = [1, 2], ...rest) { return a }', 'f(a, b = [1, 2], ...rest)'],
  ['async function f(a) {}', 'f(a)'],
  ['(a, { b } = {}) => a', 'f(a, { b } = {})'],
  ['async x => x', 'f(x)'],
  ['() => 1', 'f()'],
  ['function (a /* first */,\n  b, // second\n) {}', 'f(a, b)'],
  ['class { constructor(a) {} }', 'f'],
  ['({ f(a) {} }).f', 'f(a)'],
  ['function f(a) {}.bind()', 'f(…)'],
])('%s', (text, signature) => {
  expect(functionSignature('f', written(text))).toBe(signature)
})

test('what is built in tells at least whether it takes anything', () => {
  expect(functionSignature('map', [].map)).toBe('map(…)')
  expect(functionSignature('trim', ''.trim)).toBe('trim()')
  expect(functionSignature('Map', Map)).toBe('Map')
  expect(functionSignature('readFileSync', readFileSync)).toBe('readFileSync(path, options)')
})
