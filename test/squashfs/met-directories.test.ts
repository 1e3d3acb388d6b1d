import { expect, test } from 'vitest'
import { MetDirectories } from '../../src/squashfs/met-directories.ts'

const directory = (reference: number, sizeBytes: number) => ({
  reference,
  listing: { reference: 0, sizeBytes },
})

test('a directory is met once', () => {
  const met = new MetDirectories(1000)
  met.add(directory(1, 10))
  met.add(directory(2, 10))
  expect(() => met.add(directory(1, 10))).toThrow(/more than one place/)
})

test('listings together are not longer than their table', () => {
  const met = new MetDirectories(1000)
  met.add(directory(1, 500))
  met.add(directory(2, 500))
  expect(() => met.add(directory(3, 1))).toThrow(/longer than their table/)
})
