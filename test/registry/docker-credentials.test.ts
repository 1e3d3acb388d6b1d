import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { runCredentialHelper } from '../../src/registry/credential-helper.ts'
import { dockerCredentials } from '../../src/registry/docker-credentials.ts'

let home: string

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'sregistry-home-'))
})

afterEach(() => rm(home, { recursive: true }))

const auth = (text: string) => Buffer.from(text).toString('base64')
const secretOf = (password: string) => ({ kind: 'password', password })

async function put(path: string, document: unknown): Promise<string> {
  const file = join(home, path)
  await mkdir(join(file, '..'), { recursive: true })
  await writeFile(file, typeof document === 'string' ? document : JSON.stringify(document))
  return file
}

function lookUp(host: string, repository?: string, env: Record<string, string> = {}) {
  const source = dockerCredentials({
    env,
    home,
    runHelper: async (program, input) => ({
      exitCode: 0,
      stdout: JSON.stringify({ Username: program, Secret: input.trim() }),
    }),
  })
  return source({ host, ...(repository === undefined ? {} : { repository }) })
}

test('without any file the user is anonymous', async () => {
  expect(await lookUp('quay.io')).toBeUndefined()
})

describe('docker config.json', () => {
  test.each([
    ['the host', 'quay.io'],
    ['a scheme and a slash', 'https://quay.io/'],
    ['the path of an API version', 'https://quay.io/v2/'],
    ['upper case', 'Quay.io'],
  ])('an entry named by %s is found', async (_, key) => {
    await put('.docker/config.json', { auths: { [key]: { auth: auth('u:p:w') } } })
    expect(await lookUp('quay.io')).toMatchObject({ username: 'u', password: 'p:w' })
  })

  test('entries of other hosts and ports are not used', async () => {
    const entry = { auth: auth('u:p') }
    await put('.docker/config.json', { auths: { 'evil-quay.io': entry, 'quay.io:444': entry } })
    expect(await lookUp('quay.io')).toBeUndefined()
  })

  test('Docker Hub has its own key', async () => {
    await put('.docker/config.json', {
      auths: { 'https://index.docker.io/v1/': { auth: auth('hub:p') } },
    })
    expect(await lookUp('registry-1.docker.io')).toMatchObject({ username: 'hub' })
  })

  test('tokens are told apart from passwords', async () => {
    await put('.docker/config.json', {
      auths: {
        'a.io': { identitytoken: 'i', auth: auth('x:') },
        'b.io': { registrytoken: 'r' },
        'c.io': { username: 'u', password: 'p' },
        'd.io': {},
      },
    })
    expect(await lookUp('a.io')).toMatchObject({ kind: 'identity-token', token: 'i' })
    expect(await lookUp('b.io')).toMatchObject({ kind: 'bearer-token', token: 'r' })
    expect(await lookUp('c.io')).toMatchObject(secretOf('p'))
    expect(await lookUp('d.io')).toBeUndefined()
  })

  test('a helper of the host goes before the store, the store before entries', async () => {
    await put('.docker/config.json', {
      credHelpers: { 'a.io': 'one' },
      credsStore: 'two',
      auths: { 'a.io': { auth: auth('u:p') }, 'https://b.io': { auth: auth('u:p') } },
    })
    expect(await lookUp('a.io')).toMatchObject({
      username: 'docker-credential-one',
      password: 'a.io',
    })
    expect(await lookUp('b.io')).toMatchObject({
      username: 'docker-credential-two',
      password: 'https://b.io',
    })
  })

  test('a file that is no JSON is an error which does not quote it', async () => {
    await put('.docker/config.json', '{"auths":{"a":{"auth":"c2VjcmV0"')
    const error = await lookUp('a').catch((thrown) => thrown)
    expect(error).toMatchObject({ code: 'SETTING_INVALID' })
    expect(`${error.message}${error.cause}`).not.toContain('c2VjcmV0')
  })
})

describe('other files', () => {
  test('DOCKER_AUTH_CONFIG goes first', async () => {
    await put('.docker/config.json', { auths: { 'a.io': { auth: auth('u:file') } } })
    const DOCKER_AUTH_CONFIG = JSON.stringify({ auths: { 'a.io': { auth: auth('u:env') } } })
    expect(await lookUp('a.io', undefined, { DOCKER_AUTH_CONFIG })).toMatchObject(secretOf('env'))
  })

  test('podman may hold an entry for a part of a registry: the longest wins', async () => {
    const file = await put('auth.json', {
      auths: {
        'a.io': { auth: auth('u:all') },
        'a.io/team': { auth: auth('u:team') },
        'a.io/team/app': { auth: auth('u:app') },
      },
    })
    const env = { REGISTRY_AUTH_FILE: file }
    expect(await lookUp('a.io', 'team/app', env)).toMatchObject(secretOf('app'))
    expect(await lookUp('a.io', 'team/apple', env)).toMatchObject(secretOf('team'))
    expect(await lookUp('a.io', 'other', env)).toMatchObject(secretOf('all'))
  })

  test('podman and apptainer files lie where they lie', async () => {
    await put('.config/containers/auth.json', { auths: { 'a.io': { auth: auth('u:podman') } } })
    await put('.apptainer/docker-config.json', { auths: { 'b.io': { auth: auth('u:apptainer') } } })
    expect(await lookUp('a.io')).toMatchObject(secretOf('podman'))
    expect(await lookUp('b.io')).toMatchObject(secretOf('apptainer'))
  })

  test('what was refused is not offered again', async () => {
    await put('.docker/config.json', { auths: { 'a.io': { auth: auth('u:old') } } })
    const source = dockerCredentials({ env: {}, home })
    const credentials = await source({ host: 'a.io' })
    if (credentials === undefined) throw new Error('not found')
    const refused = { credentials, status: 401, message: '' }
    expect(await source({ host: 'a.io', refused })).toBeUndefined()
  })
})

describe('a real helper program', () => {
  const path = process.env['PATH']

  afterEach(() => {
    process.env['PATH'] = path
  })

  async function installHelper(script: string): Promise<void> {
    const file = await put('bin/docker-credential-test', `#!/bin/sh\n${script}\n`)
    await chmod(file, 0o755)
    await put('.docker/config.json', { credsStore: 'test' })
    process.env['PATH'] = `${join(home, 'bin')}${delimiter}${path}`
  }

  const ask = () => dockerCredentials({ env: {}, home })({ host: 'a.io' })

  test('reads the server on stdin and answers in JSON', async () => {
    await installHelper('read host; echo "{\\"Username\\":\\"$1\\",\\"Secret\\":\\"$host\\"}"')
    expect(await ask()).toMatchObject({ username: 'get', password: 'a.io' })
  })

  test('a <token> is an identity token', async () => {
    await installHelper('echo \'{"Username":"<token>","Secret":"t"}\'')
    expect(await ask()).toMatchObject({ kind: 'identity-token', token: 't' })
  })

  test('that has nothing leaves the user anonymous', async () => {
    await installHelper('echo "credentials not found in native keychain"; exit 1')
    expect(await ask()).toBeUndefined()
  })

  test('that fails is quoted', async () => {
    await installHelper('echo "keychain is locked"; exit 1')
    await expect(ask()).rejects.toMatchObject({
      code: 'CREDENTIALS_MISSING',
      message: 'docker-credential-test failed: keychain is locked',
    })
  })

  test('that is not installed leaves the user anonymous', async () => {
    await put('.docker/config.json', { credsStore: 'not-installed-anywhere' })
    expect(await ask()).toBeUndefined()
  })

  test('is ended with its children when the work is cancelled', async () => {
    await installHelper('sleep 60')
    const controller = new AbortController()
    const running = runCredentialHelper('docker-credential-test', '\n', controller.signal)
    setImmediate(() => controller.abort())
    expect((await running).exitCode).toBeUndefined()
  })

  test('with a name that is a path is refused', async () => {
    await put('.docker/config.json', { credsStore: '../../bin/sh' })
    await expect(ask()).rejects.toMatchObject({ code: 'SETTING_INVALID' })
  })
})
