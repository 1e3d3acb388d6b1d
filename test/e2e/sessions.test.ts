/** The saved sessions of repl-history/ are documentation: what they show must happen, word for word. */
import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type LocalEcr, startLocalEcr } from '../../src/local-ecr/local-ecr.ts'
import { parseSession } from '../../src/shell/session-file.ts'

const program = resolve(import.meta.dirname, '../../bin/sregistry.js')
const folder = resolve(import.meta.dirname, '../../repl-history')
const sessions = readdirSync(folder).filter((name) => name.endsWith('.session'))

let root: string
let home: string
let ecr: LocalEcr

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'sregistry-sessions-'))
  ecr = await startLocalEcr({ root, seed: true })
})

afterAll(async () => {
  await ecr.close()
  rmSync(root, { recursive: true, force: true })
})

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'sregistry-session-'))
})

afterEach(() => rmSync(home, { recursive: true, force: true }))

type Ended = { readonly code: number | null; readonly output: string }

function check(path: string): Promise<Ended> {
  const { PATH } = process.env
  const env = { PATH, HOME: home, SREGISTRY_CLIENT: 'aws', ...ecr.environment }
  const child = spawn(process.execPath, [program, 'shell', '--check', path], { env })
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString()
  })
  child.stderr.on('data', (chunk: Buffer) => {
    output += chunk.toString()
  })
  return new Promise((done, fail) => {
    child.once('error', fail)
    child.once('close', (code) => done({ code, output }))
  })
}

test.each(sessions)('%s', async (name) => {
  expect(await check(join(folder, name))).toEqual({ code: 0, output: '' })
})

test('each tells what it is about, and what it needs', () => {
  for (const name of sessions) {
    const text = readFileSync(join(folder, name), 'utf8')
    expect(text).toMatch(/^# [A-Z].*\n/)
    expect(parseSession(text)).toMatchObject({ needs: 'local-ecr', width: 80 })
  }
  expect(sessions.length).toBeGreaterThanOrEqual(5)
})

describe('a session that does not keep its word', () => {
  test.each([
    [
      'another result',
      "aws:us-east-1> client.tags('science/hello')\n1.0  1.2\n",
      ':2: client.tags',
    ],
    ['a line too many', 'aws:us-east-1> 1\n1\n2\n', ':3: 1'],
    ['another prompt', 'aws:eu-west-1> 1\n1\n', ':1: the prompt is aws:us-east-1>'],
  ])('%s is shown with its line', async (_, text, place) => {
    const path = join(home, 'x.session')
    writeFileSync(path, text)
    const { code, output } = await check(path)
    expect(code).toBe(1)
    expect(output).toContain(`x.session${place}`)
  })
})
