import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { History } from '../../src/shell/history.ts'
import { compiled, runNode } from '../storage/node-process.ts'

let directory: string
let path: string

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sregistry-history-'))
  path = join(directory, 'history')
})

afterEach(() => rmSync(directory, { recursive: true, force: true }))

/** A shell's history in a process of its own: adds its statements and dies without a goodbye. */
const shell = (name: string, count: number): string => `
  import { History } from ${compiled('shell/history.js')}
  const history = new History({ path: ${JSON.stringify(path)}, now: Date.now })
  for (let i = 0; i < ${count}; i++) history.add(${JSON.stringify(name)} + i + '\\n' + 'x'.repeat(2000))
  process.kill(process.pid, 'SIGKILL')
`

test('two shells that are killed lose no statement and tear none of each other', async () => {
  const count = 200
  const ends = await Promise.all([runNode(shell('one ', count)), runNode(shell('two ', count))])
  expect(ends.map(({ signal }) => signal)).toEqual(['SIGKILL', 'SIGKILL'])
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n')
  const kept = lines.map((line) => String(JSON.parse(line).s).split('\n')[0])
  const wanted = ['one ', 'two '].flatMap((name) =>
    Array.from({ length: count }, (_, i) => `${name}${i}`),
  )
  expect(kept.toSorted()).toEqual(wanted.toSorted())
  const order = kept.filter((statement) => statement?.startsWith('one '))
  expect(order).toEqual(wanted.slice(0, count))
  expect(new History({ path, now: Date.now }).oldestFirst).toHaveLength(2 * count)
})
