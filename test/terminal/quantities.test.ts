import { describe, expect, test } from 'vitest'
import {
  formatAge,
  formatClock,
  formatDuration,
  formatRate,
  formatSize,
} from '../../src/terminal/quantities.ts'

test.each([
  [0, '0 B'],
  [1023, '1023 B'],
  [1024, '1.0 KiB'],
  [10_188, '9.9 KiB'],
  [10_189, '10 KiB'],
  [1_022_976, '999 KiB'],
  [1_023_488, '1.0 MiB'],
  [623_000_000, '594 MiB'],
  [1.8 * 1024 ** 3, '1.8 GiB'],
])('%d bytes are %s', (bytes, text) => expect(formatSize(bytes)).toBe(text))

test('a rate is a size in a second', () => expect(formatRate(2048)).toBe('2.0 KiB/s'))

test.each([
  [340, '340 ms'],
  [2400, '2.4 s'],
  [65_000, '1:05'],
  [7_384_000, '2:03:04'],
])('%d ms last %s', (ms, text) => expect(formatDuration(ms)).toBe(text))

test('a clock shows minutes even when there are none', () => expect(formatClock(5000)).toBe('0:05'))

describe('dates are told from now', () => {
  const now = Date.parse('2026-01-10T12:00:00Z')
  test.each([
    ['2026-01-10T11:59:30Z', 'just now'],
    ['2026-01-10T11:59:00Z', '1 minute ago'],
    ['2026-01-10T09:00:00Z', '3 hours ago'],
    ['2026-01-10T23:30:00Z', 'in 11 hours'],
    ['2025-12-31T12:00:00Z', '1 week ago'],
    ['2025-09-10T12:00:00Z', '4 months ago'],
    ['2020-01-10T12:00:00Z', '6 years ago'],
    ['nonsense', 'unknown'],
  ])('%s is %s', (date, text) => expect(formatAge(new Date(date), now)).toBe(text))
})
