import type { ChildProcess } from 'node:child_process'
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { outcomeOf, World } from './sregistry.ts'

let world: World

beforeAll(async () => {
  world = await World.start()
})
afterAll(() => world[Symbol.asyncDispose]())

describe('wrong usage ends with 2, a message and a hint', () => {
  test.each([
    [['frob'], "unknown command 'frob'", 'sregistry --help'],
    [['pul'], "unknown command 'pul'", 'did you mean pull?'],
    [['pull'], "missing required argument 'reference'", 'sregistry pull --help'],
    [['pull', '--frob', 'x'], "unknown option '--frob'", 'sregistry pull --help'],
    [['pull', '--name', 'a', 'x', 'y'], 'one name cannot be given to several', 'one by one'],
    [['pull', 'UPPER/case'], 'UPPER/case', ''],
    [['cache', 'frob'], "unknown command 'frob'", 'sregistry cache --help'],
    [['cache', 'clean', '--older', 'x'], '"x" is no amount', '12h'],
    [['local-ecr', '--port', 'x'], '"x" is no port', '0 to 65535'],
  ])('%j', async (args, message, hint) => {
    const { code, stdout, stderr } = await world.run(args)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(/^error (USAGE|REFERENCE_INVALID): /)
    expect(stderr).toContain(message)
    expect(stderr).toContain(hint)
    expect(stderr).not.toMatch(/^ +at /m)
  })

  test('as JSON with --json', async () => {
    const { code, stdout } = await world.run(['--json', 'pull'])
    expect(code).toBe(2)
    expect(JSON.parse(stdout).error.code).toBe('USAGE')
  })
})

test.each(['push', 'delete', 'share', 'build'])('%s says what does it instead', async (name) => {
  const { code, stderr } = await world.run([name, 'library/busybox'])
  expect(code).toBe(1)
  expect(stderr).toMatch(/^error UNSUPPORTED: .*\n {2}hint: .+/)
})

describe('output that cannot be written', () => {
  test('a full disk behind stdout is an error', async () => {
    const { code, stderr } = await world.sh('sregistry layers library/busybox > /dev/full')
    expect(code).toBe(1)
    expect(stderr).toContain('error DISK_FULL: the output could not be written (ENOSPC)')
  })

  test('a reader that has gone ends a listing in silence', async () => {
    const line = '{ sregistry manifest library/busybox; echo "code $?" >&2; } | true'
    const { stderr } = await world.sh(line)
    expect(stderr).toBe('code 0\n')
  })

  test('a long answer reaches a pipe whole', async () => {
    await world.run(['pull', 'library/busybox'])
    const { stdout } = await world.sh('sregistry export library/busybox - | tar -t | wc -l')
    expect(Number(stdout)).toBeGreaterThan(50)
  })
})

describe('signals', () => {
  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)('%s ends a pull with %i and leaves nothing', async (signal, code) => {
    const args = ['pull', '--no-cache', '--name', `${signal}.simg`, 'library/busybox']
    const child = world.spawn(args)
    atFirstLayer(child, () => child.kill(signal))
    const outcome = await outcomeOf(child)
    expect(outcome.code).toBe(code)
    expect(outcome.stderr).not.toMatch(/^ +at /m)
    expect(readdirSync(world.work)).toEqual([])
  })

  test('a second one ends it at once, and removes the work all the same', async () => {
    const child = world.spawn(['pull', '--no-cache', '--name', 'twice.simg', 'library/busybox'])
    atFirstLayer(child, () => {
      // stopped meanwhile, so that it meets the second before it has ended by the first
      child.kill('SIGSTOP')
      child.kill('SIGINT')
      // not SIGINT again: two of a kind that come at once are one
      child.kill('SIGTERM')
      child.kill('SIGCONT')
    })
    const { code, stderr } = await outcomeOf(child)
    // whichever the kernel delivers last; one that ends by itself would say that it was cancelled
    expect([130, 143]).toContain(code)
    expect(stderr).not.toContain('CANCELLED')
    expect(readdirSync(world.work)).toEqual([])
  })

  test('what SIGKILL left behind is removed by the next pull', async () => {
    const args = ['pull', '--no-cache', '--name', 'killed.simg', 'library/busybox']
    const child = world.spawn(args)
    atFirstLayer(child, () => child.kill('SIGKILL'))
    await outcomeOf(child)
    expect(readdirSync(world.work).every((name) => name.startsWith('.tmp-'))).toBe(true)
    expect((await world.run([...args, '--force'])).code).toBe(0)
    expect(readdirSync(world.work)).toEqual(['killed.simg'])
  })
})

test('secrets of the environment are in no output', async () => {
  const secrets = {
    SREGISTRY_AWS_SECRET: 'PlantedSecretAAAABBBBCCCCDDDDEEEEFFFF0000',
    SREGISTRY_DOCKERHUB_PASSWORD: 'planted-password',
    AWS_SESSION_TOKEN: 'IQoJplantedsessiontokenplantedsessiontoken',
  }
  const runs = await Promise.all(
    [
      ['--debug', 'pull', 'library/busybox:none'],
      ['--json', '--debug', 'tags', 'library/none'],
      ['--debug', 'pull', 'docker://127.0.0.1:1/x/y'],
    ].map((args) => world.run(args, { env: secrets })),
  )
  for (const { code, stdout, stderr } of runs) {
    expect(code).toBe(1)
    expect(stdout + stderr).not.toMatch(/Planted|planted/)
  }
})

test('local-ecr prints what reaches it, and serves until a signal', async () => {
  const root = join(world.directory, 'ecr')
  const line = [
    `"${process.execPath}" "$LAUNCHER" local-ecr --port 0 --root "${root}" --seed > env.sh &`,
    'server=$!',
    'until grep -q NOHTTPS env.sh; do read -t 0.1 < <(:) || :; done',
    '. ./env.sh',
    'sregistry --quiet pull aws://library/busybox; code=$?',
    'kill $server; wait $server; exit $code',
  ].join('\n')
  const launcher = new URL('../../bin/sregistry.js', import.meta.url).pathname
  const { code, stdout } = await world.sh(line, { env: { LAUNCHER: launcher } })
  expect(code).toBe(0)
  // another registry than the one before: the image gets a name of its own beside that one's
  expect(stdout).toMatch(/\/library-busybox~[0-9a-f]{8}:latest\.simg\n$/)
})

test('npm start with piped input pulls from an ECR of its own, without account and settings', async () => {
  const home = join(world.directory, 'demo')
  const { code, stdout } = await world.sh(
    'mkdir -p "$HOME" && env -i PATH="$PATH" HOME="$HOME" "$NODE" "$LAUNCHER" demo',
    {
      env: {
        HOME: home,
        NODE: process.execPath,
        LAUNCHER: new URL('../../bin/sregistry.js', import.meta.url).pathname,
      },
    },
  )
  expect(code).toBe(0)
  expect(stdout).toContain('library-busybox:latest.simg')
  expect(readdirSync(home)).toEqual([])
})

describe('where sqlite3 could be neither downloaded nor built', () => {
  /** As when npm has left the optional package out. */
  const withoutSqlite = () => {
    const hook = join(world.directory, 'without-sqlite.cjs')
    writeFileSync(
      hook,
      `const Module = require('node:module')
const resolve = Module._resolveFilename
Module._resolveFilename = (request, ...rest) => {
  if (request === '@keyv/sqlite') throw Object.assign(new Error('not found'), { code: 'MODULE_NOT_FOUND' })
  return resolve(request, ...rest)
}`,
    )
    return { NODE_OPTIONS: `--require ${hook}` }
  }

  test('npm start goes without records, and says so', async () => {
    const { code, stdout, stderr } = await world.run(['demo'], { env: withoutSqlite() })
    expect(code).toBe(0)
    expect(stdout).toContain('library-busybox:latest.simg')
    expect(stderr).toContain('note: sqlite3 is not installed')
  })

  test('a pull into storage says how to mend it, and one without a cache needs none', async () => {
    const env = withoutSqlite()
    const failed = await world.run(['pull', 'library/busybox'], { env })
    expect(failed.code).not.toBe(0)
    expect(failed.stderr).toMatch(/error DATABASE: .*\n.*npm rebuild sqlite3/)
    const args = ['pull', '--no-cache', '--name', 'without.simg', 'library/busybox']
    expect(await world.run(args, { env })).toMatchObject({ code: 0 })
  })
})

/** When the files of the pull are open and its layers are on their way. */
function atFirstLayer(child: ChildProcess, act: () => void): void {
  let text = ''
  child.stdout?.on('data', (chunk: Buffer) => {
    const was = text.includes('Exploding')
    text += chunk.toString()
    if (!was && text.includes('Exploding')) act()
  })
}
