import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { findRcFile } from '../../src/shell/rc-file.ts'

let home: string

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'sregistry-rc-'))
  mkdirSync(join(home, '.config', 'sregistry'), { recursive: true })
})

afterEach(() => rmSync(home, { recursive: true, force: true }))

const put = (name: string): string => {
  const path = join(home, '.config', 'sregistry', name)
  writeFileSync(path, '1\n', { mode: 0o600 })
  return path
}

test('without a file there is none', () => {
  expect(findRcFile({}, home)).toEqual({ kind: 'none' })
})

test('it lies in the XDG configuration directory', () => {
  const path = put('rc.js')
  expect(findRcFile({}, home)).toEqual({ kind: 'found', path })
  const elsewhere = { XDG_CONFIG_HOME: join(home, 'other') }
  expect(findRcFile(elsewhere, home)).toEqual({ kind: 'none' })
})

test('SREGISTRY_RC names another, and empty turns it off', () => {
  put('rc.js')
  const own = join(home, 'mine.js')
  writeFileSync(own, '1\n', { mode: 0o600 })
  expect(findRcFile({ SREGISTRY_RC: own }, home)).toEqual({ kind: 'found', path: own })
  expect(findRcFile({ SREGISTRY_RC: '' }, home)).toEqual({ kind: 'none' })
})

test.each([0o620, 0o602])('a file that others may write to (%o) is refused', (mode) => {
  chmodSync(put('rc.js'), mode)
  expect(findRcFile({}, home)).toMatchObject({
    kind: 'refused',
    text: expect.stringContaining('others may write to it (chmod go-w)'),
  })
})

test('`rc` without its ending is named', () => {
  put('rc')
  expect(findRcFile({}, home)).toMatchObject({
    kind: 'refused',
    text: expect.stringContaining('its name must be rc.js'),
  })
})
