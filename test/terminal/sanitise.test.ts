import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { sanitise, sanitiseJson, sanitiseLines } from '../../src/terminal/sanitise.ts'

describe('sanitise', () => {
  test.each([
    ['a colour sequence', 'v1\u001b[31m', 'v1\\u001b[31m'],
    ['an OSC title', '\u001b]0;x\u0007', '\\u001b]0;x\\u0007'],
    ['a C1 CSI', '\u009b2J', '\\u009b2J'],
    ['a bidi override', 'a\u202eb', 'a\\u202eb'],
    ['a zero width space', 'a\u200bb', 'a\\u200bb'],
    ['a line separator', 'a\u2028b', 'a\\u2028b'],
    ['a tag character', 'a\u{e0041}', 'a\\u{e0041}'],
    ['a lone surrogate', 'a\ud800', 'a\\ud800'],
    ['line ends', 'a\nb\r', 'a\\u000ab\\u000d'],
    ['accents, CJK and emoji, which stay', 'é 計算 🐳', 'é 計算 🐳'],
  ])('%s', (_, text, expected) => expect(sanitise(text)).toBe(expected))

  test('whatever comes in, nothing that acts on a terminal goes out', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(sanitise(text)).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Co}\p{Cn}]/u)
      }),
    )
  })
})

test('text of several lines keeps its line ends and tabs only', () => {
  expect(sanitiseLines('a\tb\nc\r\u001b')).toBe('a\tb\nc\\u000d\\u001b')
})

test('JSON keeps its meaning while what JSON.stringify leaves is escaped', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const json = sanitiseJson(JSON.stringify({ text }))
      expect(json).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Co}\p{Cn}]/u)
      expect(JSON.parse(json)).toEqual({ text })
    }),
  )
})
