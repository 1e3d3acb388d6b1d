/** Who may import whom (DESIGN § 3): imports point down the list of layers, never up or sideways. */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'

const source = resolve(import.meta.dirname, '../../src')

/** Each folder with the folders it may use beside itself. */
const allowed: Record<string, readonly string[]> = {
  errors: [],
  assembly: [],
  settings: ['errors'],
  deflate: ['errors'],
  squashfs: ['assembly', 'settings', 'errors'],
  sif: ['settings', 'errors'],
  registry: ['squashfs', 'sif', 'settings', 'errors'],
  storage: ['squashfs', 'sif', 'settings', 'errors'],
  aws: ['registry', 'storage', 'squashfs', 'sif', 'settings', 'errors'],
  image: ['registry', 'storage', 'deflate', 'squashfs', 'sif', 'assembly', 'settings', 'errors'],
  catalog: ['registry', 'storage', 'squashfs', 'sif', 'settings', 'errors'],
  client: [
    'aws',
    'image',
    'catalog',
    'registry',
    'storage',
    'squashfs',
    'sif',
    'settings',
    'errors',
  ],
  terminal: ['errors'],
  'local-ecr': ['registry', 'errors'],
  shell: [
    'client',
    'terminal',
    'aws',
    'image',
    'catalog',
    'registry',
    'storage',
    'squashfs',
    'sif',
    'settings',
    'errors',
  ],
  cli: [
    'shell',
    'client',
    'terminal',
    'local-ecr',
    'aws',
    'image',
    'catalog',
    'registry',
    'storage',
    'squashfs',
    'sif',
    'settings',
    'errors',
  ],
}

/** Packages that cost tens of milliseconds: imported where they are first needed, never at load time. */
const heavyPackages = [
  '@aws-sdk/client-ecr',
  '@keyv/sqlite',
  'keyv',
  'fzstd',
  'acorn',
  'string-width',
  'undici',
  'ofetch',
  'tar',
  'cli-progress',
]

type Import = {
  readonly file: string
  readonly specifier: string
  readonly typeOnly: boolean
  readonly lazy: boolean
}

const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((file) =>
  file.endsWith('.ts'),
)
const imports = files.flatMap(importsOf)

function importsOf(file: string): Import[] {
  const text = readFileSync(join(source, file), 'utf8')
  const statements = text.matchAll(
    /^\s*(?:import|export)\s+(type\s)?[^'"()]*?from\s+'([^']+)'|^import\s+'([^']+)'/gm,
  )
  const lazy = text.matchAll(/(typeof\s+)?\bimport\('([^']+)'\)/g)
  return [
    ...[...statements].map((m) => ({
      file,
      specifier: m[2] ?? m[3] ?? '',
      typeOnly: m[1] !== undefined,
      lazy: false,
    })),
    ...[...lazy].map((m) => ({
      file,
      specifier: m[2] ?? '',
      typeOnly: m[1] !== undefined,
      lazy: true,
    })),
  ]
}

function folderOf(file: string): string {
  return file.includes('/') ? (file.split('/')[0] ?? '') : ''
}

test('the list of folders is complete', () => {
  const folders = new Set(files.map(folderOf).filter((folder) => folder !== ''))
  expect([...folders].sort()).toEqual(Object.keys(allowed).sort())
})

describe('imports point down', () => {
  test.each(Object.keys(allowed))('%s/', (folder) => {
    const wrong = imports
      .filter((one) => folderOf(one.file) === folder && one.specifier.startsWith('.'))
      .map((one) => ({
        ...one,
        target: folderOf(relative(source, resolve(source, dirname(one.file), one.specifier))),
      }))
      .filter((one) => one.target !== folder && !(allowed[folder] ?? []).includes(one.target))
      .map((one) => `${one.file} imports ${one.specifier}`)
    expect(wrong).toEqual([])
  })

  test('local-ecr uses only types of registry/', () => {
    const wrong = imports.filter(
      (one) =>
        folderOf(one.file) === 'local-ecr' && one.specifier.includes('/registry/') && !one.typeOnly,
    )
    expect(wrong).toEqual([])
  })
})

test('heavy packages are never imported at load time', () => {
  const wrong = imports
    .filter(
      (one) =>
        !one.typeOnly &&
        !one.lazy &&
        heavyPackages.some(
          (name) => one.specifier === name || one.specifier.startsWith(`${name}/`),
        ),
    )
    .map((one) => `${one.file} imports ${one.specifier}`)
  expect(wrong).toEqual([])
})

test('nothing below cli/ and shell/ prints or exits', () => {
  const wrong = files
    .filter((file) => !['cli', 'shell'].includes(folderOf(file)))
    .filter((file) =>
      /\bconsole\.|process\.exit\b|process\.stdout|process\.stderr/.test(
        readFileSync(join(source, file), 'utf8'),
      ),
    )
  expect(wrong).toEqual([])
})
