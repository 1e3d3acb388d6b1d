import { afterAll, beforeAll, expect, test } from 'vitest'
import { mistypedMember, mistypedNameAt } from '../../src/shell/mistyped-name.ts'

const touched: string[] = []

beforeAll(() => {
  Object.defineProperty(globalThis, 'client', {
    configurable: true,
    value: {
      pull: () => undefined,
      layers: () => undefined,
      rm: () => undefined,
      get lazy() {
        touched.push('lazy')
        return { pull: 1 }
      },
    },
  })
})

afterAll(() => {
  Reflect.deleteProperty(globalThis, 'client')
})

test.each([
  ["client.pul('x')", 8, 'client.pull'],
  ["image = clint.pull('x')", 9, 'client'],
  ["pull('x')", 1, 'client.pull'],
  ["client?.layer('x')", 9, 'client.layers'],
  ["client.frobnicate('x')", 8, undefined],
  ["client.laye('x')", 8, 'client.layers'],
  ["client.remove('x')", 8, 'client.rm'],
  ["client.delete('x')", 14, 'client.rm'], // V8's column
  ["client.ls('x')", 8, undefined],
  ["client.pull('x')", 8, undefined],
  ["client.lazy.pul('x')", 13, undefined],
  ['(1 + 2)()', 2, undefined],
  ['null.x', 6, undefined],
])('%s at column %i', (text, column, near) => {
  expect(mistypedNameAt(text, column)?.near).toBe(near)
})

test.each([
  ['client.pul', 'client.pull'],
  ['client.pul;\n', 'client.pull'],
  ['client.pull', undefined],
  ['client.pul()', undefined],
  ['nothing', undefined],
])('an input that is only %s', (source, near) => {
  expect(mistypedMember(source)?.near).toBe(near)
})

test('no getter is run to find out', () => {
  mistypedMember('client.lazy.pul')
  expect(touched).toEqual([])
})
