import { expect, test } from 'vitest'
import { normalisePath } from '../../../src/image/tar/entry-path.ts'

test.each([
  ['a', 'a'],
  ['/abs/x', 'abs/x'],
  ['./x', 'x'],
  ['../x', 'x'],
  ['a/../../x', 'x'],
  ['a//b/./c', 'a/b/c'],
  ['a\\b', 'a\\b'],
  ['d/', 'd'],
  ['.', ''],
  ['/', ''],
  ['a/..', ''],
  ['...', '...'],
])('%s is %s in the image', (name, path) => {
  expect(normalisePath(name)).toBe(path)
})
test('255 bytes are the longest component', () => {
  expect(normalisePath('a'.repeat(255))).toHaveLength(255)
  expect(() => normalisePath('a'.repeat(256))).toThrow(/255 bytes/)
})
