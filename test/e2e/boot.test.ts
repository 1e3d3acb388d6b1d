import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createProgram } from '../../src/cli/program.ts'
import { Session } from '../../src/cli/session.ts'
import { World } from './sregistry.ts'

let world: World
let hooks: string

beforeAll(async () => {
  world = await World.start()
  hooks = mkdtempSync(join(tmpdir(), 'sregistry-hooks-'))
  const loader = `import { writeSync } from 'node:fs'
export const load = (url, context, next) => { writeSync(2, 'LOADED ' + url + '\\n'); return next(url, context) }`
  writeFileSync(join(hooks, 'loader.mjs'), loader)
  writeFileSync(
    join(hooks, 'register.mjs'),
    // hooks see what is imported, require's own cache what was required
    `import { writeSync } from 'node:fs'
import { createRequire, register } from 'node:module'
register(${JSON.stringify(pathToFileURL(join(hooks, 'loader.mjs')))})
const { cache } = createRequire(import.meta.url)
process.on('exit', () => { for (const path of Object.keys(cache)) writeSync(2, 'LOADED ' + path + '\\n') })`,
  )
})
afterAll(async () => {
  rmSync(hooks, { recursive: true })
  await world[Symbol.asyncDispose]()
})

/** Names of the packages that a command has loaded. */
async function packagesOf(args: readonly string[]): Promise<Set<string>> {
  const { stderr } = await world.run(args, {
    env: { NODE_OPTIONS: `--import ${pathToFileURL(join(hooks, 'register.mjs'))}` },
  })
  const found = stderr.matchAll(/^LOADED .*\/node_modules\/((?:@[^/]+\/)?[^/\n]+)/gm)
  return new Set(Array.from(found, ([, name]) => name ?? ''))
}

const heavy = ['@aws-sdk/client-ecr', 'undici', 'ofetch', 'tar', 'acorn', 'fzstd', 'cli-progress']

describe('what is loaded', () => {
  test('--version and --help load no package: what they need is in the program', async () => {
    expect([...(await packagesOf(['--version']))]).toEqual([])
    expect([...(await packagesOf(['--help']))]).toEqual([])
  })

  test('get loads the catalogue and nothing of the network', async () => {
    await world.run(['pull', 'library/busybox'])
    const loaded = await packagesOf(['get', 'library/busybox'])
    expect(loaded).toContain('keyv')
    for (const name of heavy) expect(loaded).not.toContain(name)
  })
})

test('every command has a help that ends well', async () => {
  const program = await createProgram(new Session())
  const names = program.commands.map((command) => command.name())
  expect(names.length).toBeGreaterThan(25)
  for (const command of program.commands) {
    expect(command.description(), command.name()).not.toBe('')
    for (const option of command.options) expect(option.description, option.flags).not.toBe('')
  }
  const some = ['pull', 'export', 'cache', 'images']
  const runs = await Promise.all(some.map((name) => world.run([name, '--help'])))
  for (const [index, { code, stdout, stderr }] of runs.entries()) {
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toContain(`Usage: sregistry ${some[index]}`)
  }
}, 30_000)
