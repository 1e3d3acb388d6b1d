import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { haveSameBytes } from '../../src/storage/same-bytes.ts'

let directory: string
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'sregistry-same-'))
  const bytes = Buffer.alloc(2_500_000, 'abc')
  const write = (name: string, content: Uint8Array) => writeFileSync(join(directory, name), content)
  write('a', bytes)
  write('same', bytes)
  write('shorter', bytes.subarray(1))
  bytes[2_400_000] = 0
  write('other', bytes)
  write('empty', Buffer.alloc(0))
  mkdirSync(join(directory, 'directory'))
})
afterAll(() => rmSync(directory, { recursive: true }))

test.each([
  ['a', 'same', true],
  ['empty', 'empty', true],
  ['a', 'other', false],
  ['a', 'shorter', false],
  ['a', 'missing', false],
  ['a', 'directory', false],
])('%s and %s: %s', async (a, b, expected) => {
  expect(await haveSameBytes(join(directory, a), join(directory, b))).toBe(expected)
})
