import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { databaseUri, shownDatabaseUri, sqliteFileOf } from '../../src/settings/database-uri.ts'

const home = mkdtempSync(join(tmpdir(), 'sregistry-test-'))
mkdirSync(join(home, 'folder.db'))
writeFileSync(join(home, 'catalogue'), '')
afterAll(() => rmSync(home, { recursive: true }))
const at = { home, cwd: '/work/here' }

test.each([
  [
    'a folder that is not there yet',
    '~/.singularity',
    `sqlite:///${home}/.singularity/sregistry.db`,
  ],
  ['a folder, whatever its name', '~/folder.db', `sqlite:///${home}/folder.db/sregistry.db`],
  ['a file, whatever its name', '~/catalogue', `sqlite:///${home}/catalogue`],
  ['a file that is not there yet', '/data/images.db', 'sqlite:////data/images.db'],
  ['.sqlite3', '/data/images.sqlite3', 'sqlite:////data/images.sqlite3'],
  ['a relative folder', 'here', 'sqlite:////work/here/here/sregistry.db'],
  ['a URI of the ancestor', 'sqlite:////data/x', 'sqlite:////data/x'],
  ['a URI of Keyv', 'sqlite:///data/x', 'sqlite:////data/x'],
  ['a relative URI', 'sqlite://x/y.db', 'sqlite:////work/here/x/y.db'],
  ['a scheme in capitals', 'SQLite:////data/x', 'sqlite:////data/x'],
  ['a URI below the home directory', 'sqlite://~/x.db', `sqlite:///${home}/x.db`],
  ['redis', 'redis://:pw@host:6379/0', 'redis://:pw@host:6379/0'],
  ['postgres', 'postgres://u:pw@host/db?ssl=1', 'postgresql://u:pw@host/db?ssl=1'],
])('%s', (_, text, expected) => {
  expect(databaseUri(text, at)).toBe(expected)
})

test.each([
  'sqlite://',
  'sqlite:///',
  'sqlite://:memory:',
  'sqlite:////data/x?mode=ro',
  'sqlite:////data/x#y',
  'file:///data/x',
  'mysql://host/db',
  'etcd://host',
  'https://host/db',
])('%s is refused', (text) => {
  expect(() => databaseUri(text, at)).toThrow(expect.objectContaining({ code: 'SETTING_INVALID' }))
})

test('a refusal never quotes the value, which may hold a password', () => {
  expect(() => databaseUri('mysql://u:hunter2@host/db', at)).toThrow(
    expect.objectContaining({ message: expect.not.stringContaining('hunter2') }),
  )
})

test('the file of a URI, and a URI fit to be shown', () => {
  expect(sqliteFileOf('sqlite:////data/x.db')).toBe('/data/x.db')
  expect(sqliteFileOf('redis://h')).toBeUndefined()
  expect(shownDatabaseUri('sqlite:////data/x.db')).toBe('sqlite:////data/x.db')
  expect(shownDatabaseUri('postgresql://u:hunter2@h/db?password=hunter2')).toBe(
    'postgresql://…@h/db',
  )
})
