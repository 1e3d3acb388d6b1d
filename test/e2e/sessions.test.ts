/** The saved sessions of repl-history/ are documentation: what they show must happen, word for word. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { parseSession } from '../../src/shell/session-file.ts'

const program = resolve(import.meta.dirname, '../../bin/sregistry.js')
const folder = resolve(import.meta.dirname, '../../repl-history')
const sessions = readdirSync(folder).filter((name) => name.endsWith('.session'))

let home: string

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'sregistry-session-'))
})

afterEach(() => rmSync(home, { recursive: true, force: true }))

type Ended = { readonly code: number | null; readonly output: string }

/** As someone with settings of their own runs it, which must not matter. */
function start(files: readonly string[]): ChildProcessWithoutNullStreams {
  const { PATH } = process.env
  const theirs = { SREGISTRY_CLIENT: 'docker', AWS_PROFILE: 'nobody', AWS_REGION: 'eu-west-1' }
  const env = { PATH, HOME: home, TMPDIR: home, SREGISTRY_STORAGE: join(home, 'mine'), ...theirs }
  return spawn(process.execPath, [program, 'shell', '--check', ...files], { env })
}

function check(...files: readonly string[]): Promise<Ended> {
  const child = start(files)
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
  expect(readdirSync(home)).toEqual([])
})

test('one after the other, each begins with nothing pulled', async () => {
  const file = join(folder, 'first-pull.session')
  expect(await check(file, file)).toEqual({ code: 0, output: '' })
})

test('Ctrl-C in a check leaves nothing behind', async () => {
  const path = join(home, 'x.session')
  writeFileSync(
    path,
    '# needs: local-ecr\naws:us-east-1> !echo running\naws:us-east-1> sleep(60)\n',
  )
  const child = start([path])
  // node:vm loses one that comes in the millisecond in which it begins or ends a statement (seen on Node 22 and 24)
  const interrupt = () => child.kill('SIGINT')
  child.stdout.once('data', () => {
    interrupt()
    const again = setInterval(interrupt, 200)
    child.once('close', () => clearInterval(again))
  })
  expect(await new Promise((done) => child.once('close', done))).toBe(130)
  expect(readdirSync(home)).toEqual(['x.session'])
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
      ':3: client.tags',
    ],
    ['a line too many', 'aws:us-east-1> 1\n1\n2\n', ':4: 1'],
    ['another prompt', 'aws:eu-west-1> 1\n1\n', ':2: the prompt is aws:us-east-1>'],
    ['no statement', '\n', ':1: there is no statement in it'],
  ])('%s is shown with its line', async (_, text, place) => {
    const path = join(home, 'x.session')
    writeFileSync(path, `# needs: local-ecr\n${text}`)
    const { code, output } = await check(path)
    expect(code).toBe(1)
    expect(output).toContain(`x.session${place}`)
  })

  test('that says nothing of what it needs is told where it ran', async () => {
    const path = join(home, 'x.session')
    writeFileSync(path, 'aws:us-east-1> 1\n1\n')
    const { code, output } = await check(path)
    expect(code).toBe(1)
    expect(output).toContain('x.session:1: the prompt is docker:docker.io> \n  hint: ')
    expect(output).toContain('# needs: local-ecr')
  })

  test('a file that is not there is named', async () => {
    const { code, output } = await check(join(home, 'nowhere.session'))
    expect(code).toBe(1)
    expect(output).toContain('error STORAGE')
    expect(output).toContain('nowhere.session could not be read')
  })
})
