/** What build/bundle.mjs made: which modules lie in which file of dist/program/, and what a file reads. */
import { readdirSync, readFileSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { join, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'

const source = resolve(import.meta.dirname, '../../src')
const program = resolve(import.meta.dirname, '../../dist/program')

type ProgramFile = {
  /** Below src/. */
  readonly modules: readonly string[]
  /** What is required as soon as the file is read. */
  readonly required: readonly string[]
}

const files = new Map(
  readdirSync(program)
    .filter((name) => name.endsWith('.cjs'))
    .map((name) => [name, readProgramFile(name)]),
)

function readProgramFile(name: string): ProgramFile {
  const text = readFileSync(join(program, name), 'utf8')
  return {
    // rolldown writes the path of each module above its code
    modules: Array.from(text.matchAll(/^\/\/ src\/(.*)$/gm), ([, path]) => path ?? ''),
    required: Array.from(
      text.matchAll(/^(?:const|let|var) \w+ = .*?\brequire\("([^"]+)"\)/gm),
      ([, specifier]) => specifier ?? '',
    ),
  }
}

/** A file with all that it requires, before any import() is reached. */
function readWith(name: string, met = new Set<string>()): Set<string> {
  if (met.has(name)) return met
  met.add(name)
  for (const specifier of files.get(name)?.required ?? []) {
    if (specifier.startsWith('./')) readWith(specifier.slice(2), met)
  }
  return met
}

function readBy(name: string) {
  const all = [...readWith(name)].map((one) => [one, files.get(one)] as const)
  return {
    files: all.map(([one]) => one),
    modules: all.flatMap(([, file]) => file?.modules ?? []),
    builtins: new Set(
      all.flatMap(([, file]) => file?.required ?? []).filter((one) => !one.startsWith('./')),
    ),
  }
}

test('each module lies in one file, so that there is one SregistryError', () => {
  // threads share nothing with the program but their messages
  const own = [...files].filter(([name]) => !name.endsWith('-worker.cjs'))
  const modules = own.flatMap(([, file]) => file.modules)
  expect(modules.length).toBeGreaterThan(150)
  expect(modules).toContain('errors/sregistry-error.ts')
  expect(modules.filter((one, index) => modules.indexOf(one) !== index)).toEqual([])
})

test('no package is required before something asks for it', () => {
  const wrong = [...files].flatMap(([name, { required }]) =>
    required
      .filter((one) => !one.startsWith('./') && !builtinModules.includes(one.replace('node:', '')))
      .map((one) => `${name} requires ${one}`),
  )
  expect(wrong).toEqual([])
})

test.each(['compose', 'copy', 'encode', 'pack'])('the thread that is to %s is one file', (name) => {
  const { modules, required } = files.get(`${name}-worker.cjs`) ?? { modules: [], required: [] }
  expect(modules.at(-1)).toMatch(new RegExp(`/${name}-worker\\.ts$`))
  expect(required.filter((one) => !one.startsWith('node:'))).toEqual([])
})

describe('the prompt', () => {
  const prompt = readBy('prompt.cjs')

  test('has no import() in its files: scripts of kept bytecode cannot, see bin/sregistry.js', () => {
    const texts = prompt.files.map((name) => readFileSync(join(program, name), 'utf8'))
    expect(texts.filter((text) => /\bimport\(/.test(text))).toEqual([])
  })

  test('is two files and the bundler’s own', () => {
    expect(prompt.files.sort()).toEqual(['prompt.cjs', 'rolldown-runtime.cjs', 'start.cjs'])
    expect(prompt.modules).toEqual(expect.arrayContaining(['cli/main.ts', 'shell/prompt.ts']))
  })

  test('comes without catalogue, registry client, images and engine', () => {
    const late =
      /^(?:catalog|image|squashfs|sif|local-ecr)\/|^client\/client\.ts|^shell\/engine|^registry\/(?!ecr-host)/
    expect(prompt.modules.filter((module) => late.test(module))).toEqual([])
    expect(prompt.modules.length).toBeLessThan(50)
  })

  test('loads no module of Node that node:repl does not', () => {
    const cheap = ['node:fs', 'node:os', 'node:path', 'node:repl', 'node:stream']
    expect([...prompt.builtins].sort()).toEqual(cheap)
  })
})

test('a pull that has nothing to do reads four files, without shell, images and packages', () => {
  const pull = readBy('pull.cjs')
  expect(pull.files.sort()).toEqual(['client.cjs', 'pull.cjs', 'rolldown-runtime.cjs', 'start.cjs'])
  const late = /^(?:shell|sif|local-ecr|terminal\/table)|^image\/(?!packing-parameters)|commander/
  expect(pull.modules.filter((module) => late.test(module))).toEqual([])
})

test('the catalogue comes without HTTP', () => {
  expect([...readBy('client.cjs').builtins]).not.toContain('node:http')
})

test('no module looks for a file beside itself: the bundle has it in another folder', () => {
  const texts = readdirSync(source, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => [name, readFileSync(join(source, name), 'utf8')] as const)
  const beside = /new URL\(\s*['"`]\.\/|import\.meta\.(?:dirname|filename|resolve)/
  expect(texts.filter(([, text]) => beside.test(text)).map(([name]) => name)).toEqual([])
  // one folder deep, both ways: `../../package.json` is the same file from here and from there
  const upwards = texts.filter(([, text]) => /new URL\(\s*['"`]\.\./.test(text))
  expect(upwards.map(([name]) => name.split('/').length)).toEqual(upwards.map(() => 2))
})
