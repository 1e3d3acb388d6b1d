import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

const shell = fileURLToPath(new URL('../fakes/shell.mjs', import.meta.url))

let home: string

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'sregistry-script-'))
})

afterEach(() => rmSync(home, { recursive: true, force: true }))

type Run = { readonly input?: string; readonly onOutput?: (text: string, pid: number) => void }
type Ended = { readonly code: number | null; readonly stdout: string; readonly stderr: string }

function run(args: readonly string[], { input = '', onOutput }: Run = {}): Promise<Ended> {
  return runProgram(process.execPath, [shell, ...args], { input, ...(onOutput && { onOutput }) })
}

function runProgram(program: string, args: readonly string[], given: Run): Promise<Ended> {
  const env = { ...process.env, HOME: home, LANG: 'C.UTF-8', XDG_STATE_HOME: '', NO_COLOR: '1' }
  const child = spawn(program, [...args], { env })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString()
    given.onOutput?.(stdout, child.pid ?? 0)
  })
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString()
  })
  child.stdin.on('error', () => undefined) // the script may end before it has read everything
  child.stdin.end(given.input)
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => resolve({ code, stdout, stderr }))
  })
}

const file = (name: string, text: string): string => {
  const path = join(home, name)
  writeFileSync(path, text)
  return path
}

describe('piped input', () => {
  test('runs in order, prints what the prompt would, and asks for nothing', async () => {
    const input = [
      'await sleep(0.05); "first"',
      'image = client.pull("library/busybox")',
      'image.digest.length',
      'for (const x of [1, 2]) {',
      '  print(x)',
      '}',
      'client',
      "  .tags('science/numpy')",
    ].join('\n')
    const { code, stdout, stderr } = await run([], { input })
    expect(stdout.split('\n')).toEqual([
      "'first'",
      'Exploding /c/sha256:8c5a.tar.gz',
      'Success! /home/u/.singularity/shub/library-busybox:latest.simg',
      '71',
      '1',
      '2',
      '2.0',
      '',
    ])
    expect([code, stderr]).toEqual([0, ''])
    expect(existsSync(join(home, '.local'))).toBe(false)
  })

  test('stops at the first failure, names its line, and ends with 1', async () => {
    const { code, stdout, stderr } = await run([], { input: '1\n\nmissing()\n2\n' })
    expect([code, stdout]).toEqual([1, '1\n'])
    expect(stderr).toBe('stdin:3: ReferenceError: missing is not defined\n  missing()\n  ^\n')
  })

  test('with --keep-going runs everything and counts what failed', async () => {
    const input = "missing()\n1\nclient.pull('library/nope')\n2\n"
    const { code, stdout, stderr } = await run(['--keep-going'], { input })
    expect([code, stdout]).toEqual([1, '1\n2\n'])
    expect(stderr).toContain('stdin:1: ReferenceError')
    expect(stderr).toContain('stdin:3: error NAME_UNKNOWN: repository "library/nope"')
    expect(stderr.endsWith('2 statements failed\n')).toBe(true)
  })

  test('takes an indented member for the end of the line above, and a command for a command', async () => {
    const input = "client\n  .digest('x')\n  .length\n'end'\n  .time on\n"
    const { code, stdout } = await run([], { input })
    expect([code, stdout]).toEqual([0, "71\n'end'\n"])
  })

  test('that waits for what never comes is a failure, not a silent end', async () => {
    const { code, stdout, stderr } = await run([], { input: '1\nawait new Promise(() => {})\n2\n' })
    expect([code, stdout]).toEqual([1, '1\n'])
    expect(stderr).toBe('stdin:2: waits for something that never comes\n')
  })

  test('that ends inside a statement is a failure at its first line', async () => {
    const { code, stdout, stderr } = await run([], {
      input: "1\nfor (const x of [1]) {\n  print('never')\n",
    })
    expect([code, stdout]).toEqual([1, '1\n'])
    expect(stderr).toBe('stdin:2: the input ends inside this statement\n')
  })

  test.each([
    ['.exit 3\n1\n', 3],
    ['exit\nmissing()\n', 0],
    ['!exit 4\n1\n', 1],
    ['', 0],
  ])('%j ends with %i', async (input, code) => {
    const ended = await run([], { input })
    expect([ended.code, ended.stdout]).toEqual([code, ''])
  })
})

describe('work that nobody awaits', () => {
  test('is waited for', async () => {
    const code = "void client.pull('slow100').then(() => print('there'))"
    expect(await run(['-e', code])).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('there'),
    })
  })

  test('is a failure when it fails', async () => {
    const { code, stderr } = await run(['-e', "void client.pull('library/nope'); 1"])
    expect(code).toBe(1)
    expect(stderr).toContain('in the background: error NAME_UNKNOWN')
  })
})

describe('what other programs understand', () => {
  test.each([
    ['help', 'Names at hand\n'],
    ['?', 'Names at hand\n'],
    ['help()', 'Names at hand\n'],
    ['client.pull', 'client.pull(reference | [references]'],
    ['client.pull??', 'client.pull(reference | [references]'],
    ['print', 'print(...values)\n'],
  ])('%s is answered with help', async (typed, start) => {
    const { code, stdout } = await run(['-e', typed])
    expect([code, stdout.slice(0, start.length)]).toEqual([0, start])
  })

  test.each([
    ['ls', 'did you mean !ls?'],
    ['docker pull busybox', "did you mean client.pull('busybox')?"],
    ['client.pull(library/busybox)', "did you mean client.pull('library/busybox')?"],
    ["client.pull('library/busybox)", 'the quote that begins there is not closed'],
    [
      "client.pull('library/busybox', force=True)",
      "did you mean client.pull('library/busybox', { force: true })?",
    ],
    ['client.list()', 'did you mean client.images?'],
    ['.pull library/busybox', 'did you mean client.pull()?'],
    ['.quit', 'did you mean .exit?'],
    ['.error now', 'usage: .error'],
    ['.use eu-west-1', '.use region=eu-west-1'],
    ['!', 'usage: !command'],
    ['.editor', '.editor needs a prompt; a script has none'],
    ['.load /dev/null', '/dev/null is no file'],
    ['.load /', '/ is no file'],
  ])('%s is refused with what was meant', async (typed, advice) => {
    const { code, stderr } = await run(['-e', typed])
    expect(code).toBe(1)
    expect(stderr).toContain(advice)
  })

  test('exit() and quit() leave, with a code', async () => {
    expect(await run(['-e', '1', '-e', 'exit()', '-e', '2'])).toMatchObject({
      code: 0,
      stdout: '1\n',
    })
    expect(await run(['-e', 'quit(3)'])).toMatchObject({ code: 3 })
  })

  test('the code that a script sets for its process is its own, unless it fails', async () => {
    expect(await run(['-e', 'process.exitCode = 4'])).toMatchObject({ code: 4 })
    const failing = ['-e', 'process.exitCode = 0', '-e', 'throw 1']
    expect(await run(failing)).toMatchObject({ code: 1 })
  })

  test('what print shows cannot move the cursor', async () => {
    const { stdout } = await run(['-e', String.raw`print('v1\u001b[2J\u202e')`])
    expect(stdout).toBe('v1\\u001b[2J\\u202e\n')
  })

  test('a command that a signal ended has its number in the exit code', async () => {
    const { stderr } = await run(['-e', '!kill -9 $$'])
    expect(stderr).toContain('exit code 137')
  })
})

test('warnings of Node are told in a line, and none of what was told already', async () => {
  const input = [
    "jobs = [sleep(0.05).then(() => client.pull('library/nope'))]; sleep(0.2)",
    "Promise.all(jobs).catch(() => process.emitWarning('be careful')); sleep(0.1)",
  ].join('\n')
  const { code, stderr } = await run(['--quiet'], { input })
  expect(code).toBe(1)
  expect(stderr).toMatch(/^in the background: error NAME_UNKNOWN: .*\n.*\nWarning: be careful\n$/)
})

describe('what is run', () => {
  test('-e, each in turn, stopping at a failure', async () => {
    const { code, stdout, stderr } = await run(['-e', 'a = 1', '-e', 'b()', '-e', 'a + 1'])
    expect([code, stdout]).toEqual([1, '1\n'])
    expect(stderr).toContain('-e:1: ReferenceError: b is not defined')
  })

  test('files, with their own imports, a first line for the kernel and lines of their own', async () => {
    file('lib.mjs', 'export const answer = 42\n')
    const script = file(
      'tour.js',
      "#!/usr/bin/env sregistry\nconst { answer } = await import('./lib.mjs')\nanswer\nnope.x\n",
    )
    const { code, stdout, stderr } = await run([script])
    expect([code, stdout]).toEqual([1, '42\n'])
    expect(stderr).toContain('tour.js:4: ReferenceError: nope is not defined')
  })

  test('- is the standard input, among files', async () => {
    const script = file('a.js', "name = 'a'\n")
    expect(await run([script, '-'], { input: 'name + 1\n' })).toMatchObject({
      code: 0,
      stdout: "'a'\n'a1'\n",
    })
  })

  test('saved sessions: what was typed in them', async () => {
    const saved = file('x.session', '# width: 80\naws:us-east-1> 20 + 1\n21\naws:us-east-1> 2\n2\n')
    expect(await run([saved])).toMatchObject({ code: 0, stdout: '21\n2\n' })
  })

  test('no file that is not there', async () => {
    const { code, stderr } = await run(['nowhere.js'])
    expect(code).toBe(1)
    expect(stderr).toContain('error STORAGE: nowhere.js could not be read')
    const directory = await run(['/'])
    expect(directory.stderr).toContain('error STORAGE: / could not be read')
    const mistyped = await run(['dokcer'])
    expect(mistyped.stderr).toContain('one of the clients: aws, docker')
  })
})

test.each([
  ['tour.ts', 'const x: number = 1\n', 'tour.ts is TypeScript; the shell runs JavaScript'],
  ['tour.py', 'import os\nprint(1)\n', 'tour.py is Python; the shell runs JavaScript'],
])('%s is told by its name, not by a syntax error', async (name, text, seen) => {
  const path = file(name, text)
  for (const args of [[path], ['-e', `.load ${path}`]]) {
    const { code, stdout, stderr } = await run(args)
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr).toContain(`error UNSUPPORTED: ${seen}\n  hint: `)
    expect(stderr).not.toContain('SyntaxError')
  }
})

describe('how it is told', () => {
  test('--quiet drops values and lines of pulls, not errors and not what is printed', async () => {
    const input = "1\nclient.pull('library/busybox')\nprint('said')\nmissing()\n"
    const { code, stdout, stderr } = await run(['--quiet'], { input })
    expect([code, stdout]).toEqual([1, 'said\n'])
    expect(stderr).toContain('stdin:4: ReferenceError')
  })

  test('print() says undefined where there is nothing', async () => {
    const { stdout } = await run(['-e', "print(1, client.tags('science/numpy')[0].tag, 'text')"])
    expect(stdout).toBe('1\nundefined\ntext\n')
  })

  test('--json prints one document a line, errors too, and nothing else', async () => {
    const input = "client.tags('library/busybox')\n({ a: 1 })\nclient.pull('library/nope')\n"
    const { code, stdout, stderr } = await run(['--json'], { input })
    expect([code, stderr]).toEqual([1, ''])
    expect(
      stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual([
      ['1.36', '1.37', 'latest'],
      { a: 1 },
      { error: { code: 'NAME_UNKNOWN', message: expect.any(String), hint: expect.any(String) } },
    ])
    // INTERNAL is a bug of ours
    const { stdout: own } = await run(['--json'], { input: 'nope\n' })
    expect(JSON.parse(own)).toEqual({
      error: { code: 'ReferenceError', message: 'nope is not defined' },
    })
  })

  test('| head -1 ends it quietly', async () => {
    const command = `"$0" "$1" -e 'for (let i = 0; i < 1e5; i++) print(i)' | head -1; echo "\${PIPESTATUS[0]}"`
    const ended = await runProgram('bash', ['-c', command, process.execPath, shell], {})
    expect(ended).toEqual({ code: 0, stdout: '0\n0\n', stderr: '' })
  })

  test('SIGINT cancels what runs and ends with 130', async () => {
    const ended = await run(['-e', "print('on'); client.pull('slow60000')", '-e', '1'], {
      onOutput: (text, pid) => {
        if (text === 'on\n') process.kill(pid, 'SIGINT')
      },
    })
    expect(ended).toMatchObject({
      code: 130,
      stdout: 'on\n',
      stderr: expect.stringContaining('cancelled'),
    })
  })

  test.each([
    ['a loop of microtasks', 'while (true) { await 0 }'],
    [
      'what never comes, beside a timer',
      'setInterval(() => {}, 1000); await new Promise(() => {})',
    ],
  ])('SIGINT ends %s with 130 at once', async (_, code) => {
    const ended = await run(['-e', `print('on'); ${code}`], {
      onOutput: (text, pid) => {
        if (text === 'on\n') setTimeout(() => process.kill(pid, 'SIGINT'), 200)
      },
    })
    expect(ended).toMatchObject({ code: 130, stdout: 'on\n' })
    expect(ended.stderr).toMatch(/^-e:1: cancelled/)
  })
})
