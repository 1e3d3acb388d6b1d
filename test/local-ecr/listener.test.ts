import { mkdir, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { request } from 'undici'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { exportLines } from '../../src/local-ecr/environment.ts'
import { startLocalEcr } from '../../src/local-ecr/local-ecr.ts'
import { errorOf, run, startTemporaryEcr, type TemporaryEcr } from './temporary-ecr.ts'

let local: TemporaryEcr
beforeAll(async () => {
  local = await startTemporaryEcr({ extraHosts: ['123456789012.dkr.ecr.us-east-1.amazonaws.com'] })
})
afterAll(() => local.close())

const urls = () => [`http://${local.ecr.registryHost}/v2/`, local.ecr.apiUrl, local.ecr.blobUrl]

test('a foreign Host is refused by all three listeners', async () => {
  for (const url of urls()) {
    const { statusCode, body } = await request(url, { headers: { host: 'evil.example' } })
    await body.dump()
    expect(statusCode).toBe(421)
  }
})

test('a host name that was allowed is served, and stands in what it answers', async () => {
  const host = '123456789012.dkr.ecr.us-east-1.amazonaws.com'
  const { statusCode, body } = await request(`http://${local.ecr.registryHost}/v2/`, {
    headers: { host },
  })
  await body.dump()
  expect(statusCode).toBe(401)
})

test('nothing listens on other addresses of this machine', async () => {
  const addresses = Object.values(networkInterfaces()).flat()
  const outside = addresses.filter((one) => one && !one.internal && one.family === 'IPv4')
  for (const address of ['127.0.0.2', ...outside.map((one) => one?.address ?? '')]) {
    for (const url of urls()) {
      const socket = connect(Number(new URL(url).port), address)
      const code = await new Promise((resolve) => {
        socket.once('connect', () => resolve('connected'))
        socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code))
      })
      socket.destroy()
      expect(code).toBe('ECONNREFUSED')
    }
  }
})

test.each([
  ['another address than loopback', { host: '0.0.0.0' }, 'SETTING_INVALID'],
  ['an account that is none', { accountId: '123' }, 'SETTING_INVALID'],
])('%s is refused', async (_, options, code) => {
  const error = await errorOf(startLocalEcr({ root: local.root, ...options }))
  expect(error).toHaveProperty('code', code)
})

test('a port that is taken is an error with a hint', async () => {
  const port = Number(local.ecr.registryHost.split(':')[1])
  const error = await errorOf(startLocalEcr({ root: local.root, port }))
  expect(error).toMatchObject({
    code: 'NETWORK',
    message: `cannot listen on 127.0.0.1:${port} (EADDRINUSE)`,
    hint: 'choose another port, or 0 for any free one',
  })
})

test('the environment holds what a client needs', () => {
  expect(local.ecr.environment).toEqual({
    AWS_ENDPOINT_URL_ECR: local.ecr.apiUrl,
    AWS_ENDPOINT_URL_STS: local.ecr.apiUrl,
    SREGISTRY_AWS_BASE: local.ecr.registryHost,
    SREGISTRY_AWS_ID: '123456789012',
    SREGISTRY_AWS_ZONE: 'us-east-1',
    SREGISTRY_AWS_KEY: local.ecr.user.accessKeyId,
    SREGISTRY_AWS_SECRET: local.ecr.user.secretAccessKey,
    SREGISTRY_AWS_NOHTTPS: 'true',
  })
})

test('export lines give a shell exactly the values', async () => {
  const values = { PLAIN: 'http://127.0.0.1:1/', ODD: `it's $HOME "x" \`id\` \\ ;`, EMPTY: '' }
  const script = `${exportLines(values)}printf '%s\\n' "$PLAIN" "$ODD" "$EMPTY"`
  const { stdout } = await run('sh', ['-c', script])
  expect(stdout).toBe(`${values.PLAIN}\n${values.ODD}\n\n`)
})

test('a root that is a file, or holds a damaged store, is an error with a hint', async () => {
  const file = join(local.root, 'file')
  await writeFile(file, '')
  expect(await errorOf(startLocalEcr({ root: file }))).toMatchObject({
    code: 'NOT_WRITABLE',
    message: `${file} cannot hold the local ECR (ENOTDIR)`,
  })
  const damaged = join(local.root, 'damaged')
  await mkdir(join(damaged, 'repositories'), { recursive: true })
  await writeFile(join(damaged, 'repositories', 'x.json'), '{"name":')
  expect(await errorOf(startLocalEcr({ root: damaged }))).toMatchObject({ code: 'STORAGE' })
})
