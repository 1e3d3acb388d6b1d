/** The bytecode that build/code-cache.mjs keeps for the launcher: speed comes of it, and nothing else. */
import { spawnSync } from 'node:child_process'
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'

const root = resolve(import.meta.dirname, '../..')
const directory = mkdtempSync(join(tmpdir(), 'sregistry-bytecode-'))
const install = join(directory, 'install')
const built = join(directory, 'built')
const program = join(install, 'dist/program')
const suffix = `.${process.version}-${process.arch}.bytecode`
const ofThePrompt = ['prompt.cjs', 'rolldown-runtime.cjs', 'start.cjs']

/** Preloaded: tells which files were read as scripts, and of which of them V8 took the bytecode. */
const report = join(directory, 'report.cjs')
const reporting = `const vm = require('node:vm')
vm.Script = class extends vm.Script {
  constructor(source, options) {
    super(source, options)
    const { filename, cachedData } = options
    if (cachedData) require('node:fs').writeSync(2, \`\${filename} \${this.cachedDataRejected ? 'refused' : 'taken'}\\n\`)
  }
}`

beforeAll(() => {
  for (const name of ['bin', 'dist', 'build', 'package.json']) {
    cpSync(join(root, name), join(install, name), { recursive: true })
  }
  symlinkSync(join(root, 'node_modules'), join(install, 'node_modules'))
  for (const name of keptFiles()) rmSync(join(program, name))
  const made = spawnSync(process.execPath, [join(install, 'build/code-cache.mjs')], {
    encoding: 'utf8',
    env: {},
  })
  expect(made.stderr).toMatch(/^bytecode of the prompt for Node v\S+: \d+ KiB\n$/)
  cpSync(program, built, { recursive: true })
  writeFileSync(report, reporting)
  mkdirSync(join(directory, 'home'))
})
beforeEach(() => {
  rmSync(program, { recursive: true })
  cpSync(built, program, { recursive: true })
})
afterAll(() => rmSync(directory, { recursive: true }))

type Ran = { readonly taken: string[]; readonly refused: string[] } & Told
type Told = { readonly status: number | null; readonly stdout: string; readonly stderr: string }

function run(args: readonly string[], flags: readonly string[] = []): Ran {
  const launcher = join(install, 'bin/sregistry.js')
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--require', report, ...flags, launcher, ...args],
    {
      encoding: 'utf8',
      cwd: directory,
      timeout: 20_000, // damaged bytecode may as well never end
      env: { HOME: join(directory, 'home'), SREGISTRY_AWS_ZONE: 'us-east-1' },
    },
  )
  const told = Array.from(stderr.matchAll(/^.*\/(\S+) (taken|refused)\n/gm))
  const named = (how: string) =>
    told.flatMap(([, name = '', what]) => (what === how ? [name] : [])).sort()
  return {
    taken: named('taken'),
    refused: named('refused'),
    status,
    stdout,
    stderr: stderr.replace(/^.* (?:taken|refused)\n/gm, ''),
  }
}

/** A statement of the shell that imports, requires and throws, so that every kind of file is read. */
const statements = [
  ...['-e', 'await import("node:os").then(({ EOL }) => EOL.length)'],
  ...['-e', 'client.name'],
]
const answers = { status: 0, stdout: "1\n'aws'\n", stderr: '' }

function keptFiles(): string[] {
  return readdirSync(program).filter((name) => name.endsWith('.bytecode'))
}

function change(name: string, edit: (bytes: Buffer) => Buffer): void {
  const file = join(program, name)
  writeFileSync(file, edit(readFileSync(file)))
}

test('what the build keeps is taken, for each file of the prompt and for no other', () => {
  expect(keptFiles()).toEqual(ofThePrompt.map((name) => `${name}${suffix}`))
  expect(run(['shell', ...statements])).toEqual({ taken: ofThePrompt, refused: [], ...answers })
})

test('a run writes nothing beside the program', () => {
  for (const name of keptFiles()) rmSync(join(program, name))
  const before = readdirSync(install, { recursive: true })
  expect(run(['shell', ...statements])).toEqual({ taken: [], refused: [], ...answers })
  expect(readdirSync(install, { recursive: true })).toEqual(before)
})

test.each(ofThePrompt)('without that of %s alone everything is as before', (name) => {
  rmSync(join(program, `${name}${suffix}`))
  const ran = run(['shell', ...statements])
  expect(ran).toMatchObject(answers)
  expect(ran.taken).not.toContain(name)
})

/** Where its bytecode begins: the source comes first. */
const begin = (name: string): number => readFileSync(join(program, name)).length

const damages: readonly (readonly [string, (bytes: Buffer, at: number) => Buffer])[] = [
  ['empty', () => Buffer.alloc(0)],
  ['cut off in the source', (bytes, at) => bytes.subarray(0, at - 1)],
  ['cut off in the bytecode', (bytes, at) => bytes.subarray(0, at + 5000)],
  ['short of one byte', (bytes) => bytes.subarray(0, -1)],
  ['longer by one byte', (bytes) => Buffer.concat([bytes, Buffer.alloc(1)])],
  ['longer by two bytes', (bytes) => Buffer.concat([bytes, Buffer.alloc(2)])],
  ...[0, 1000, 20_000, 40_000].map(
    (offset) => [`with a bit flipped at ${offset}`, flippedAt(offset)] as const,
  ),
  ['all zeros', (bytes) => Buffer.alloc(bytes.length)],
]

function flippedAt(offset: number) {
  return (bytes: Buffer, at: number): Buffer => {
    const changed = Buffer.from(bytes)
    changed[at + offset] = (changed[at + offset] ?? 0) ^ 1
    return changed
  }
}

test.each(damages)('damaged bytecode is not handed to V8: %s', (_, damage) => {
  for (const name of ['start.cjs', 'prompt.cjs']) {
    change(`${name}${suffix}`, (bytes) => damage(bytes, begin(name)))
  }
  const ran = run(['shell', ...statements])
  expect(ran).toMatchObject(answers)
  expect([...ran.taken, ...ran.refused].filter((name) => !name.startsWith('rolldown'))).toEqual([])
})

test('a file that was changed since is read anew, be it of the same length', () => {
  const before = run(['frobnicate'])
  change('start.cjs', (bytes) =>
    Buffer.from(bytes.toString().replace('shows what there', 'gives what there')),
  )
  const after = run(['frobnicate'])
  expect([before.taken, before.stderr]).toEqual([
    ['rolldown-runtime.cjs', 'start.cjs'],
    expect.stringContaining('--help shows what there is'),
  ])
  expect([after.taken, after.stderr]).toEqual([[], before.stderr.replace('shows', 'gives')])
})

test('bytecode of another V8 is refused by ours', () => {
  for (const name of ofThePrompt) {
    change(`${name}${suffix}`, (bytes) => {
      const at = begin(name)
      const size = (bytes.length - at) / 2
      const other = Buffer.from(bytes)
      // the version's hash: V8's second word
      for (const start of [at, at + size]) other.writeUInt32LE(1, start + 4)
      return other
    })
  }
  expect(run(['shell', ...statements])).toEqual({ taken: [], refused: ofThePrompt, ...answers })
})

test('flags under which V8 compiles otherwise make it refuse, and no difference', () => {
  const ran = run(['shell', ...statements], ['--no-lazy'])
  expect(ran).toEqual({ taken: [], refused: ofThePrompt, ...answers })
})

test('stack traces have the same files, lines and columns with bytecode and without', () => {
  const line = ['--debug', 'pull', 'not a reference']
  const withIt = run(line)
  for (const name of keptFiles()) rmSync(join(program, name))
  const { taken, stderr, status } = run(line)
  expect(withIt.taken).toContain('start.cjs')
  expect(taken).toEqual([])
  const frames = (text: string) => text.match(/\/dist\/program\/[\w-]+\.cjs:\d+:\d+/g)
  expect(frames(withIt.stderr)?.join('\n')).toMatch(/start\.cjs/)
  expect(frames(withIt.stderr)).toEqual(frames(stderr))
  expect(withIt.status).toBe(status)
})
