import { describe, expect, test } from 'vitest'
import { clientMethods } from '../../src/shell/api-help.ts'
import { candidateList, type ListedCandidate } from '../../src/shell/candidate-list.ts'
import { methodNote } from '../../src/shell/candidate-notes.ts'
import { terminalStyle } from '../../src/terminal/terminal-style.ts'
import { textWidth } from '../../src/terminal/text-width.ts'

const place = (
  columns: number,
  rows: number,
  env: Record<string, string> = { LANG: 'C.UTF-8' },
) => ({
  style: terminalStyle({ columns }, env),
  rows,
})

const methods: readonly ListedCandidate[] = Object.entries(clientMethods).map(([name, help]) => ({
  ...methodNote(help),
  name,
}))
const few = methods.filter(({ name }) => ['pull', 'tags', 'whoami'].includes(name))

test('members stand with signature and summary, one a line', () => {
  expect(candidateList(few, place(80, 24))).toBe(
    [
      'pull(reference | [references], {…})  downloads an image and makes a Singularity…',
      'tags(repository, {…})                the tags of a repository',
      'whoami()                             the identity that the credentials stand for',
    ].join('\n'),
  )
})

test('several stand in a line only where one a line is too high', () => {
  const lines = (rows: number): number =>
    candidateList(methods, place(200, rows)).split('\n').length
  expect(lines(40)).toBe(methods.length)
  expect(lines(24)).toBe(Math.ceil(methods.length / 2))
})

test('without room for summaries the signatures stay', () => {
  expect(candidateList(few, place(40, 24)).split('\n')).toEqual([
    'pull(reference | [references], {…})',
    'tags(repository, {…})',
    'whoami()',
  ])
})

test('signatures are cut before they are left out', () => {
  const lines = candidateList(methods, place(40, 24)).split('\n')
  expect(lines.length).toBeLessThanOrEqual(20)
  expect(lines[0]).toBe('pull(reference | […  manifest(reference…')
})

test('more members than the terminal is high stand in columns of names', () => {
  const many = Array.from({ length: 90 }, (_, i) => ({
    name: `name${i}`,
    signature: `name${i}(a)`,
  }))
  const lines = candidateList(many, place(40, 24)).split('\n')
  expect(lines[0]).toBe('name0   name1   name2   name3   name4')
})

test('names without more are listed row by row', () => {
  const names = ['1.0', '1.1', 'latest'].map((name) => ({ name }))
  expect(candidateList(names, place(80, 24))).toBe('1.0     1.1     latest')
  expect(candidateList(names, place(10, 24))).toBe('1.0\n1.1\nlatest')
})

describe.each([40, 80, 200])('in %i columns', (columns) => {
  test.each([12, 24, 40])('and %i rows no line is wider', (rows) => {
    const lines = candidateList(methods, place(columns, rows)).split('\n')
    expect(Math.max(...lines.map(textWidth))).toBeLessThanOrEqual(columns)
    for (const { name } of methods) expect(lines.join('\n')).toContain(name)
  })
})

test('is ASCII where the terminal is, and a text from outside moves no cursor', () => {
  const evil = { name: 'evil', signature: 'evil(\u001b[2J)' }
  const list = candidateList([...methods, evil], place(80, 40, { LANG: 'C' }))
  expect(list).toMatch(/^[\n -~]+$/)
})
