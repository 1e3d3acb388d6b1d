import { execFileSync } from 'node:child_process'
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  readSettingsFile,
  updateSettingsFile,
  writeSettingsFile,
} from '../../src/settings/settings-file.ts'
import { compiled, runNode } from '../storage/node-process.ts'

let home: string
let path: string
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'sregistry-test-'))
  path = join(home, '.sregistry')
})
afterEach(() => rmSync(home, { recursive: true }))

const caught = (work: () => unknown): unknown => {
  try {
    return work()
  } catch (error) {
    return error
  }
}

describe('reading', () => {
  test.each([
    ['no file', undefined, {}],
    ['an empty file', '', {}],
    ['a byte order mark', '\uFEFF{"a":1}', { a: 1 }],
    [
      'the ancestor’s form',
      '{\n    "hub": {\n        "base": "x"\n    }\n}',
      { hub: { base: 'x' } },
    ],
  ])('%s', (_, text, expected) => {
    if (text !== undefined) writeFileSync(path, text)
    expect(readSettingsFile(path)).toEqual(expected)
  })

  test.each([
    ['broken JSON', '{"aws": {"SREGISTRY_AWS_SECRET": "hunter2"'],
    ['broken early', '{hunter2'],
    ['a list', '["hunter2"]'],
    ['a text', '"hunter2"'],
    ['null', 'null'],
  ])('%s is an error that does not quote the file', (_, text) => {
    writeFileSync(path, text)
    const error = caught(() => readSettingsFile(path))
    expect(error).toMatchObject({
      code: 'SETTING_INVALID',
      message: `${path} is not a JSON object of settings`,
    })
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain('hunter2')
  })

  test('a directory or a huge file is told', () => {
    mkdirSync(path)
    expect(caught(() => readSettingsFile(path))).toMatchObject({
      message: `cannot read the settings in ${path}: EISDIR`,
    })
    rmSync(path, { recursive: true })
    writeFileSync(path, ' '.repeat(1024 * 1024 + 1))
    expect(caught(() => readSettingsFile(path))).toMatchObject({
      message: `cannot read the settings in ${path}: larger than 1 MiB`,
    })
  })
})

describe('writing', () => {
  test('gives a private file in the ancestor’s form and leaves nothing else', () => {
    writeFileSync(path, '{}', { mode: 0o644 })
    writeSettingsFile(path, { SREGISTRY_CLIENT: 'aws', other: { kept: [1] } })
    expect(readFileSync(path, 'utf8')).toBe(
      '{\n    "SREGISTRY_CLIENT": "aws",\n    "other": {\n        "kept": [\n            1\n        ]\n    }\n}\n',
    )
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(readdirSync(home)).toEqual(['.sregistry'])
  })

  test('keeps a symlink and replaces what it leads to', () => {
    mkdirSync(join(home, 'dotfiles'))
    writeFileSync(join(home, 'dotfiles/sregistry'), '{}')
    symlinkSync('dotfiles/sregistry', path)
    writeSettingsFile(path, { a: 1 })
    expect(lstatSync(path).isSymbolicLink()).toBe(true)
    expect(readSettingsFile(join(home, 'dotfiles/sregistry'))).toEqual({ a: 1 })
  })

  test('to a place that cannot be written is an error and changes nothing', () => {
    mkdirSync(path)
    expect(caught(() => writeSettingsFile(path, { a: 1 }))).toMatchObject({ code: 'NOT_WRITABLE' })
    expect(readdirSync(home)).toEqual(['.sregistry'])
    expect(caught(() => writeSettingsFile(join(home, 'none/x'), {}))).toMatchObject({
      code: 'NOT_WRITABLE',
    })
  })
})

describe('changing', () => {
  test('four processes at once lose nothing', async () => {
    const code = (worker: number): string => `
      import { updateSettingsFile } from ${compiled('settings/settings-file.js')}
      for (let i = 0; i < 25; i += 1) {
        await updateSettingsFile(${JSON.stringify(path)}, (all) => ({ ...all, ['k${worker}-' + i]: 1 }))
      }`
    const ended = await Promise.all([0, 1, 2, 3].map((worker) => runNode(code(worker))))
    expect(ended.map(({ stderr }) => stderr)).toEqual(['', '', '', ''])
    expect(Object.keys(readSettingsFile(path))).toHaveLength(100)
    expect(existsSync(`${path}.lock`)).toBe(false)
  })

  test('a change that throws writes nothing and lets the next one in', async () => {
    writeSettingsFile(path, { a: 1 })
    const refuse = (): never => {
      throw new Error('no')
    }
    await expect(updateSettingsFile(path, refuse)).rejects.toThrow('no')
    expect(await updateSettingsFile(path, (document) => ({ ...document, b: 2 }))).toEqual({
      a: 1,
      b: 2,
    })
  })

  test('the lock of a process that died is taken over', async () => {
    writeFileSync(`${path}.lock`, '')
    const options = { staleLockMs: 50 }
    await updateSettingsFile(path, (document) => ({ ...document, b: 2 }), options)
    expect(readSettingsFile(path)).toEqual({ b: 2 })
    expect(readdirSync(home)).toEqual(['.sregistry'])
  })
})

test('what is not a regular file is not replaced: people switch files off with /dev/null', () => {
  execFileSync('mkfifo', [path])
  expect(caught(() => writeSettingsFile(path, {}))).toMatchObject({
    code: 'NOT_WRITABLE',
    message: `cannot write ${path}: it is not a regular file`,
  })
  expect(lstatSync(path).isFIFO()).toBe(true)
  expect(readdirSync(home)).toEqual(['.sregistry'])
})
