import { expect, test } from 'vitest'
import { readPullLine } from '../../src/cli/pull-line.ts'

test.each([
  ['pull a', ['a'], {}],
  ['pull docker://h/a:1 b', ['docker://h/a:1', 'b'], {}],
  ['-q pull a', ['a'], { quiet: true }],
  ['pull a --quiet', ['a'], { quiet: true }],
  ['pull --json -d a', ['a'], { json: true, debug: true }],
])('%s is read without commander', (line, references, flags) => {
  expect(readPullLine(line.split(' '))).toEqual({ references, flags })
})

test.each([
  '',
  'pull',
  'pull -q',
  'images',
  'images pull',
  'pull --force a',
  'pull -- a',
  'pull --help',
  'pull -qd a',
  '--client docker pull a',
])('"%s" is left to commander', (line) => {
  expect(readPullLine(line.split(' '))).toBeUndefined()
})
