import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { isSecretName, settingNames, settingTable } from '../../src/settings/setting-table.ts'
import { type LoadSettingsInput, loadSettings, type Settings } from '../../src/settings/settings.ts'

let home: string
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'sregistry-test-'))
})
afterEach(() => rmSync(home, { recursive: true }))

const load = (input: Partial<LoadSettingsInput> = {}): Settings => {
  return loadSettings({ env: {}, home, cwd: '/work/here', ...input })
}
const writeFile = (document: unknown, mode = 0o600): void => {
  writeFileSync(join(home, '.sregistry'), JSON.stringify(document), { mode })
  chmodSync(join(home, '.sregistry'), mode)
}

describe('where a value comes from', () => {
  const name = 'SREGISTRY_AWS_VERSION'
  test.each([
    ['an option is first', { options: { [name]: 'o' }, env: { [name]: 'e' } }, 'o', 'option'],
    ['then the environment', { env: { [name]: 'e' } }, 'e', 'environment'],
    ['then the settings file', {}, 'f', 'file'],
    [
      'an option that is not given counts for nothing',
      { options: { [name]: undefined } },
      'f',
      'file',
    ],
    ['a variable that is empty counts for nothing', { env: { [name]: '' } }, 'f', 'file'],
  ])('%s', (_, input: Partial<LoadSettingsInput>, value, source) => {
    writeFile({ aws: { [name]: 'f' } })
    expect(load(input).find(name)).toEqual({ value, source })
  })

  test('the default is last, and a setting without one is absent', () => {
    expect(load().find(name)).toEqual({ value: 'v2', source: 'default' })
    expect(load().find('SREGISTRY_AWS_ID')).toBeUndefined()
  })

  test('SREGISTRY_CLIENT_SECRETS names another file', () => {
    writeFileSync(join(home, 'other'), '{"SREGISTRY_CLIENT":"nvidia"}', { mode: 0o600 })
    const settings = load({ env: { SREGISTRY_CLIENT_SECRETS: '~/other' } })
    expect(settings.file).toBe(join(home, 'other'))
    expect(settings.find('SREGISTRY_CLIENT')).toEqual({ value: 'nvidia', source: 'file' })
  })

  test('other options on top keep the first ones', () => {
    const settings = load({ options: { SREGISTRY_AWS_ID: '1', SREGISTRY_AWS_ZONE: 'eu-west-1' } })
    const other = settings.with({ SREGISTRY_AWS_ZONE: 'us-east-1', SREGISTRY_AWS_ID: undefined })
    expect(other.text('SREGISTRY_AWS_ID')).toBe('1')
    expect(other.text('SREGISTRY_AWS_ZONE')).toBe('us-east-1')
    expect(settings.text('SREGISTRY_AWS_ZONE')).toBe('eu-west-1')
  })
})

test('an ancestor’s file works, settings of other programs included', () => {
  writeFile({
    SREGISTRY_CLIENT: 'aws',
    hub: { base: 'https://singularity-hub.org/api' },
    aws: { SREGISTRY_AWS_ID: '692517157806', SREGISTRY_AWS_ZONE: 'us-east-1' },
    docker: { SREGISTRY_DOCKERHUB_NOHTTPS: true },
  })
  const settings = load()
  expect(settings.text('SREGISTRY_CLIENT')).toBe('aws')
  expect(settings.text('SREGISTRY_AWS_ID')).toBe('692517157806')
  expect(settings.flag('SREGISTRY_DOCKERHUB_NOHTTPS')).toBe(true)
  expect(settings.document['hub']).toEqual({ base: 'https://singularity-hub.org/api' })
})

describe('what values mean', () => {
  test('NOHTTPS=no keeps TLS on', () => {
    expect(load({ env: { SREGISTRY_AWS_NOHTTPS: 'no' } }).flag('SREGISTRY_AWS_NOHTTPS')).toBe(false)
    expect(load({ env: { SREGISTRY_AWS_NOHTTPS: 'Yes' } }).flag('SREGISTRY_AWS_NOHTTPS')).toBe(true)
    const asked = load({ options: { SREGISTRY_DISABLE: true } })
    expect(asked.flag('SREGISTRY_DISABLE')).toBe(true)
  })

  test('places are absolute, below the home directory by default', () => {
    const settings = load()
    expect(settings.storage()).toBe(join(home, '.singularity/shub'))
    expect(settings.cache()).toBe(join(home, '.singularity'))
    expect(settings.work()).toBe(tmpdir())
    expect(settings.database()).toBe(`sqlite:///${home}/.singularity/sregistry.db`)
    const moved = load({ env: { SREGISTRY_STORAGE: 'images', SREGISTRY_TMPDIR: '~/tmp' } })
    expect(moved.storage()).toBe('/work/here/images')
    expect(moved.work()).toBe(join(home, 'tmp'))
  })

  test('SREGISTRY_DISABLE means no database', () => {
    expect(load({ env: { SREGISTRY_DISABLE: 'y' } }).database()).toBeUndefined()
    expect(load({ env: { SREGISTRY_DISABLE: 'no' } }).database()).toBeDefined()
  })

  test('a bad number is an error only where it is used', () => {
    const settings = load({ env: { SREGISTRY_PYTHON_THREADS: 'nine' } })
    expect(() => settings.count('SREGISTRY_PYTHON_THREADS')).toThrow('SREGISTRY_PYTHON_THREADS')
    expect(load().count('SREGISTRY_PYTHON_THREADS')).toBe(4)
  })
})

describe('the listing', () => {
  test('shows values with their sources, and no secret', () => {
    const settings = load({
      env: {
        SREGISTRY_AWS_KEY: 'AKIAIOSFODNN7EXAMPLE',
        SREGISTRY_AWS_SECRET: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
        SREGISTRY_NVIDIA_TOKEN: 'nvapi-hunter2',
        SREGISTRY_DATABASE: 'redis://:hunter2@host',
      },
    })
    const rows = new Map(settings.list().map((row) => [row.name, row]))
    expect(rows.get('SREGISTRY_AWS_KEY')).toMatchObject({ value: 'AKIA…', source: 'environment' })
    expect(rows.get('SREGISTRY_AWS_SECRET')).toMatchObject({ value: '****', isSecret: true })
    expect(rows.get('SREGISTRY_NVIDIA_BASE')).toMatchObject({ value: 'nvcr.io', source: 'default' })
    expect(rows.has('SREGISTRY_AWS_ID')).toBe(false)
    expect(JSON.stringify(settings.list())).not.toMatch(/hunter2|IOSFODNN|wJalr/)
  })

  test('every setting says what it means, and what sounds secret is one', () => {
    const harmless = ['SREGISTRY_CLIENT_SECRETS', 'SREGISTRY_DOCKERHUB_SECRETS']
    for (const name of settingNames) {
      expect(settingTable[name].meaning).not.toBe('')
      const sounds = /_(KEY|SECRET|SECRETS|TOKEN|PASSWORD)$/.test(name) && !harmless.includes(name)
      expect([name, isSecretName(name)]).toEqual([name, sounds])
    }
  })

  test('a file with secrets that others can read gives a warning', () => {
    writeFile({ aws: { SREGISTRY_AWS_SECRET: 'x' } }, 0o644)
    expect(load().warnings).toEqual([
      `${home}/.sregistry holds secrets and others can read it: chmod 600 ${home}/.sregistry`,
    ])
    writeFile({ aws: { SREGISTRY_AWS_SECRET: 'x' } }, 0o600)
    expect(load().warnings).toEqual([])
    writeFile({ aws: { SREGISTRY_AWS_ID: 'x' } }, 0o644)
    expect(load().warnings).toEqual([])
  })
})
