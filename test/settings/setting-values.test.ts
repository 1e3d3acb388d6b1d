import { expect, test } from 'vitest'
import { parseCount, parseFlag, resolvePath } from '../../src/settings/setting-values.ts'

test.each([
  ...['yes', 'YES', 'true', 'True', 't', 'T', '1', 'y', 'Y', ' yes '].map((text) => [text, true]),
  ...['no', 'NO', 'false', 'f', '0', 'n', '', 'on', '2', 'yess'].map((text) => [text, false]),
] as [string, boolean][])('the flag "%s" is %s', (text, expected) => {
  expect(parseFlag(text)).toBe(expected)
})

test.each([
  ['4', 4],
  ['1', 1],
  ['1000000', 1_000_000],
])('"%s" is a count', (text, expected) => {
  expect(parseCount('SREGISTRY_PYTHON_THREADS', text)).toBe(expected)
})

test.each(['0', '-1', '1.5', '1e3', '0x10', 'nine', '', '1000001'])('"%s" is no count', (text) => {
  expect(() => parseCount('SREGISTRY_PYTHON_THREADS', text)).toThrow(
    expect.objectContaining({
      code: 'SETTING_INVALID',
      message: `SREGISTRY_PYTHON_THREADS is "${text}", not a number`,
    }),
  )
})

const at = { home: '/home/u', cwd: '/work/here' }

test.each([
  ['~', '/home/u'],
  ['~/images', '/home/u/images'],
  ['/data//x/../y/', '/data/y'],
  ['images', '/work/here/images'],
  ['../images', '/work/images'],
  ['a~b', '/work/here/a~b'],
])('the path %s is %s', (text, expected) => {
  expect(resolvePath('SREGISTRY_STORAGE', text, at)).toBe(expected)
})

test.each(['~other/images', 'a\0b'])('%j is refused as a path', (text) => {
  expect(() => resolvePath('SREGISTRY_STORAGE', text, at)).toThrow(
    expect.objectContaining({ code: 'SETTING_INVALID' }),
  )
})
