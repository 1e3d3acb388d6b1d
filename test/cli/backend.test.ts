import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { runProgram } from '../fakes/program.ts'

const secret = 'PlantedSecretPlantedSecretPlantedSecret0'

let home: string
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'sregistry-backend-'))
})
afterEach(() => rm(home, { recursive: true, force: true }))

const file = () => join(home, '.sregistry')
const kept = async () => JSON.parse(await readFile(file(), 'utf8'))
const backend = (...args: string[]) => runProgram(['backend', ...args], { env: { HOME: home } })

describe('as the ancestor prints it', () => {
  test('add, ls, activate, status, rm, deactivate, delete', async () => {
    expect(await backend('add', 'aws', 'ID', '123456789012')).toEqual({
      exitCode: 0,
      stdout: '[add]\nSREGISTRY_AWS_ID 123456789012\n',
      stderr: '',
    })
    expect((await backend('ls')).stdout).toBe(
      'Backends Installed\naws\ndocker\nnvidia\necr-public\n',
    )
    expect((await backend('ls', 'aws')).stdout).toBe(
      'aws\n{\n    "SREGISTRY_AWS_ID": "123456789012"\n}\n',
    )
    expect((await backend('activate', 'aws')).stdout).toBe('[activate] aws\n')
    const { stdout } = await backend('status')
    expect(stdout).toMatch(
      /^\[backend status\]\nThere are 1 clients found in secrets\.\nactive: aws\n/,
    )
    expect((await backend('rm', 'aws', 'ID')).stdout).toBe('[remove]\nSREGISTRY_AWS_ID\n')
    expect((await backend('deactivate')).stdout).toBe('[deactivated]\n')
    expect((await backend('delete', 'aws')).stdout).toBe('[delete] aws\n')
    expect((await backend('status')).stdout).toContain('There is no active client.')
    expect(await kept()).toEqual({})
  })

  test('a value that is there is replaced only with --force', async () => {
    await backend('add', 'aws', 'ZONE', 'us-east-1')
    expect(await backend('add', 'aws', 'ZONE', 'eu-west-1')).toMatchObject({
      exitCode: 1,
      stdout: '',
      stderr: expect.stringMatching(/SREGISTRY_AWS_ZONE is already set as us-east-1\.\n.*--force/),
    })
    await backend('add', '--force', 'aws', 'ZONE', 'eu-west-1')
    expect(await kept()).toEqual({ aws: { SREGISTRY_AWS_ZONE: 'eu-west-1' } })
  })

  test('a client that is not known', async () => {
    expect(await backend('activate', 'nobody')).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('nobody is not a known client.'),
    })
  })

  test('an existing file of the ancestor works, and keys unknown here are kept', async () => {
    const before = {
      SREGISTRY_CLIENT: 'hub',
      SREGISTRY_SHELL: 'ipython',
      hub: { base: 'https://singularity-hub.org/api' },
      aws: { SREGISTRY_AWS_ID: '123456789012', OWN_THING: [1, 2] },
    }
    await writeFile(file(), JSON.stringify(before), { mode: 0o644 })
    await backend('activate', 'aws')
    expect(await kept()).toEqual({ ...before, SREGISTRY_CLIENT: 'aws' })
    expect((await stat(file())).mode & 0o777).toBe(0o600)
  })
})

describe('status', () => {
  test('shows each value with its source', async () => {
    await backend('add', 'aws', 'ID', '123456789012')
    const { stdout } = await runProgram(['backend', 'status'], {
      env: { HOME: home, SREGISTRY_AWS_ZONE: 'eu-west-1' },
    })
    expect(stdout).toMatch(new RegExp(`^SREGISTRY_AWS_ID +123456789012 +${file()}$`, 'm'))
    expect(stdout).toMatch(/^SREGISTRY_AWS_ZONE +eu-west-1 +environment$/m)
    expect(stdout).toMatch(/^SREGISTRY_AWS_VERSION +v2 +default$/m)
  })

  test('as JSON', async () => {
    const { stdout } = await runProgram(['backend', 'status', '--json'], { env: { HOME: home } })
    expect(JSON.parse(stdout)).toMatchObject({ file: file(), configured: [], active: null })
  })
})

describe('secrets', () => {
  test('are written only when given, 0600, and never shown', async () => {
    const shown = [
      await backend('add', 'aws', 'SECRET', secret),
      await backend('ls', 'aws'),
      await backend('status'),
      await backend('add', 'aws', 'SECRET', 'other'),
    ].map(({ stdout, stderr }) => stdout + stderr)
    expect(shown.join('')).not.toContain(secret)
    expect(shown[0]).toBe('[add]\nSREGISTRY_AWS_SECRET ****\n')
    expect(await kept()).toEqual({ aws: { SREGISTRY_AWS_SECRET: secret } })
    expect((await stat(file())).mode & 0o777).toBe(0o600)
  })

  test('of the environment are not written', async () => {
    const env = {
      HOME: home,
      SREGISTRY_AWS_KEY: 'AKIAPLANTEDPLANTED00',
      SREGISTRY_AWS_SECRET: secret,
    }
    const { stdout } = await runProgram(['backend', 'status'], { env })
    expect(stdout).toMatch(/^SREGISTRY_AWS_SECRET +\*\*\*\* +environment$/m)
    await runProgram(['backend', 'activate', 'aws'], { env })
    expect(await kept()).toEqual({ SREGISTRY_CLIENT: 'aws' })
  })

  test('can come from stdin, so that no shell history has them', async () => {
    const options = { env: { HOME: home }, input: `${secret}\n` }
    const { stdout } = await runProgram(['backend', 'add', 'aws', 'SECRET', '-'], options)
    expect(stdout).toBe('[add]\nSREGISTRY_AWS_SECRET ****\n')
    expect(await kept()).toEqual({ aws: { SREGISTRY_AWS_SECRET: secret } })
    const empty = { env: { HOME: home }, input: '' }
    expect(await runProgram(['backend', 'add', 'aws', 'KEY', '-'], empty)).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('stdin gave no value'),
    })
  })
})
