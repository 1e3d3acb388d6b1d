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
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { readSettingsFile } from '../../src/settings/settings-file.ts'
import { updateSettingsFile, writeSettingsFile } from '../../src/settings/settings-file-update.ts'
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
      import { updateSettingsFile } from ${compiled('settings/settings-file-update.js')}
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
