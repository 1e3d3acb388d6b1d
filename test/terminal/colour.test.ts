import { expect, test } from 'vitest'
import { colourWanted, createColours } from '../../src/terminal/colour.ts'
import { terminalStyle } from '../../src/terminal/terminal-style.ts'

test.each([
  ['a terminal', true, {}, true],
  ['a pipe', false, {}, false],
  ['NO_COLOR', true, { NO_COLOR: '1' }, false],
  ['an empty NO_COLOR, which says nothing', true, { NO_COLOR: '' }, true],
  ['a CI log', true, { CI: 'true' }, false],
  ['a dumb terminal', true, { TERM: 'dumb' }, false],
  ['FORCE_COLOR over a pipe and NO_COLOR', false, { FORCE_COLOR: '1', NO_COLOR: '1' }, true],
  ['FORCE_COLOR=0 over a terminal', true, { FORCE_COLOR: '0' }, false],
])('%s: colour %s', (_, isTTY, env, wanted) => expect(colourWanted({ isTTY }, env)).toBe(wanted))

test('colours leave no trace when they are off', () => {
  expect(createColours(false).bad('x')).toBe('x')
  expect(createColours(true).bad('x')).toBe('\u001b[31mx\u001b[39m')
})

test.each([
  ['no locale', {}, '~'],
  ['the C locale', { LANG: 'C' }, '~'],
  ['a UTF-8 locale', { LANG: 'de_DE.UTF-8' }, '…'],
  ['LC_ALL before LANG', { LC_ALL: 'C', LANG: 'de_DE.UTF-8' }, '~'],
  ['a dumb terminal', { LANG: 'C.utf8', TERM: 'dumb' }, '~'],
])('%s: the ellipsis is %s', (_, env, ellipsis) => {
  expect(terminalStyle({}, env).glyphs.ellipsis).toBe(ellipsis)
})

test('without a width it is 80', () => expect(terminalStyle({}, {}).width).toBe(80))
