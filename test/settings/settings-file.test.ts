import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { readSettingsFile } from '../../src/settings/settings-file.ts'

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
