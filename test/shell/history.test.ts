import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  chmodSync,
  closeSync,
  constants,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { History, historyPath } from '../../src/shell/history.ts'
import { isRoot } from '../fakes/tools.ts'

let directory: string
let path: string

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sregistry-history-'))
  path = join(directory, 'state', 'sregistry', 'history')
})

afterEach(() => rmSync(directory, { recursive: true, force: true }))

const open = (at: string | undefined = path): History =>
  new History({ path: at, now: () => 1_700_000_000_999 })

const stored = (): string => readFileSync(path, 'utf8')

test('whole statements come back, the newest first', () => {
  const history = open()
  history.add('for (const x of [1]) {\n  x\n}')
  history.add('1 + 1')
  expect(open().newestFirst).toEqual(['1 + 1', 'for (const x of [1]) {\n  x\n}'])
  expect(stored()).toBe(
    '{"t":1700000000,"s":"for (const x of [1]) {\\n  x\\n}"}\n{"t":1700000000,"s":"1 + 1"}\n',
  )
})

test('file and directory are for the user alone', () => {
  open().add('1')
  expect(statSync(path).mode & 0o777).toBe(0o600)
  expect(statSync(dirname(path)).mode & 0o777).toBe(0o700)
})

test('a file that others could read is closed to them', () => {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, '{"t":1,"s":"old"}\n')
  chmodSync(path, 0o644)
  expect(open().oldestFirst).toEqual(['old'])
  expect(statSync(path).mode & 0o777).toBe(0o600)
})

test('secrets and lines that start with a space are kept for this session only', () => {
  const history = open()
  history.add("client.use({ secret: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' })")
  history.add(' quiet')
  history.add('1')
  expect(history.oldestFirst).toHaveLength(3)
  expect(stored()).toBe('{"t":1700000000,"s":"1"}\n')
})

test('a torn line is skipped, and does not swallow the next entry', () => {
  open().add('1')
  appendFileSync(path, '{"t":17000000')
  const history = open()
  history.add('2')
  expect(history.oldestFirst).toEqual(['1', '2'])
  expect(open().oldestFirst).toEqual(['1', '2'])
})

test('lines of two shells interleave, none is lost', () => {
  const [one, two] = [open(), open()]
  for (let i = 0; i < 50; i++) {
    one.add(`one(${i})`)
    two.add(`two(${i})`)
  }
  const all = open().oldestFirst
  expect(all).toHaveLength(100)
  expect(all.filter((line) => line.startsWith('one'))).toHaveLength(50)
})

test('a thousand entries are kept, and a file of twice as many is compacted', () => {
  mkdirSync(dirname(path), { recursive: true })
  const lines = Array.from({ length: 2001 }, (_, i) => `${JSON.stringify({ t: 1, s: `${i}` })}\n`)
  writeFileSync(path, lines.join(''))
  const history = open()
  expect(history.oldestFirst).toHaveLength(1000)
  expect(history.newestFirst[0]).toBe('2000')
  expect(stored().trimEnd().split('\n')).toHaveLength(1000)
  expect(statSync(path).mode & 0o777).toBe(0o600)
})

test('of a huge file only the end is read', () => {
  mkdirSync(dirname(path), { recursive: true })
  const line = `${JSON.stringify({ t: 1, s: 'x'.repeat(1000) })}\n`
  writeFileSync(path, `${line.repeat(3000)}${JSON.stringify({ t: 1, s: 'last' })}\n`)
  const history = open()
  expect(history.newestFirst[0]).toBe('last')
  expect(statSync(path).size).toBeLessThan(1024 ** 2 + 1)
})

test('without a path nothing is written', () => {
  const history = new History({ path: undefined, now: Date.now })
  history.add('1')
  expect(history.newestFirst).toEqual(['1'])
  expect(history.problem).toBeUndefined()
})

test('a place that cannot be written to is one remark, and memory serves', () => {
  writeFileSync(join(directory, 'file'), '')
  const history = open(join(directory, 'file', 'history'))
  history.add('1')
  expect(history.newestFirst).toEqual(['1'])
  expect(history.problem).toMatch(/memory only: .*(ENOTDIR|EEXIST)/)
})

test.skipIf(isRoot)('a read-only directory is one remark', () => {
  chmodSync(directory, 0o500)
  expect(open().problem).toMatch(/EACCES/)
})

describe('where the file lies', () => {
  test.each([
    [{}, '/home/u/.local/state/sregistry/history'],
    [{ XDG_STATE_HOME: '/s' }, '/s/sregistry/history'],
    [{ SREGISTRY_HISTORY: '/mine', XDG_STATE_HOME: '/s' }, '/mine'],
    [{ SREGISTRY_HISTORY: '' }, undefined],
  ])('%o', (env, expected) => expect(historyPath(env, '/home/u')).toBe(expected))
})

test('a device or a pipe is left as it is', () => {
  const pipe = join(directory, 'pipe')
  execFileSync('mkfifo', ['-m', '666', pipe])
  const writer = openSync(pipe, constants.O_RDWR | constants.O_NONBLOCK)
  try {
    const history = open(pipe)
    expect(history.problem).toBe(`history is kept in memory only: ${pipe}: no regular file`)
    expect(statSync(pipe).mode & 0o777).toBe(0o666)
    history.add('1')
    expect(history.oldestFirst).toEqual(['1'])
  } finally {
    closeSync(writer)
  }
})
