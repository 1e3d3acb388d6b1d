/** What only a process of its own shows: what reaches stderr, and what is loaded when. */
import { spawn, spawnSync } from 'node:child_process'
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type LocalEcr, startLocalEcr } from '../../src/local-ecr/local-ecr.ts'

let ecr: LocalEcr
let root: string
const repository = resolve(import.meta.dirname, '../..')

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'aws-quiet-'))
  ecr = await startLocalEcr({ root: join(root, 'ecr') })
  await symlink(join(repository, 'node_modules'), join(root, 'node_modules'))
  await writeFile(join(root, 'package.json'), '{"type":"module"}')
  const tsc = join(repository, 'node_modules/typescript/bin/tsc')
  const flags = ['--noCheck', '--outDir', join(root, 'dist')]
  const built = spawnSync(process.execPath, [tsc, '-p', repository, ...flags])
  expect(built.status, String(built.stdout)).toBe(0)
})
afterAll(async () => {
  await ecr.close()
  await rm(root, { recursive: true, force: true })
})

const prelude = `
import { createRequire } from 'node:module'
import { connectAws } from './dist/aws/aws-connection.js'
import { resolveAwsSettings } from './dist/aws/aws-settings.js'
import { createTransport } from './dist/registry/transport.js'
import { loadSettings } from './dist/settings/settings.js'
const { env } = process
const home = env.HOME
const loaded = (name) => Object.keys(createRequire(import.meta.url).cache).some((path) => path.includes(name))
const settings = resolveAwsSettings({ settings: loadSettings({ env, home }), env })
const transport = createTransport({ env })
const connection = connectAws({ settings, transport, env, home })
const before = ['@aws-sdk', '@smithy', 'undici'].filter(loaded)
`

async function run(code: string, env: Readonly<Record<string, string>>) {
  const path = join(root, 'script.js')
  await writeFile(path, prelude + code)
  const { PATH = '' } = process.env
  const child = spawn(process.execPath, [path], {
    env: { PATH, HOME: root, AWS_EC2_METADATA_DISABLED: 'true', ...env },
  })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (part) => {
    stdout += part
  })
  child.stderr.on('data', (part) => {
    stderr += part
  })
  const status = await new Promise((done) => child.on('close', done))
  return { status, stdout, stderr }
}

test('nothing of AWS is loaded before the first call, nothing reaches stderr, the process ends', async () => {
  const { status, stdout, stderr } = await run(
    `const token = await connection.tokens.get()
console.log(JSON.stringify({ before, after: loaded('@aws-sdk'), host: token.registryHost }))
connection.close()
await transport.close()`,
    { ...ecr.environment },
  )
  expect(stderr).toBe('')
  expect(JSON.parse(stdout)).toEqual({ before: [], after: true, host: ecr.registryHost })
  expect(status).toBe(0)
})

test('the SDK’s warning about two sources of credentials stays off the screen', async () => {
  const { accessKeyId, secretAccessKey } = ecr.user
  const credentials = join(root, 'credentials')
  await writeFile(
    credentials,
    `[work]\naws_access_key_id=${accessKeyId}\naws_secret_access_key=${secretAccessKey}\n`,
  )
  const { stdout, stderr } = await run(
    `console.log((await connection.tokens.get()).registryHost)
connection.close()
await transport.close()`,
    {
      AWS_ENDPOINT_URL_ECR: ecr.apiUrl,
      AWS_REGION: ecr.region,
      AWS_PROFILE: 'work',
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      AWS_SHARED_CREDENTIALS_FILE: credentials,
    },
  )
  expect(stderr).toBe('')
  expect(stdout.trim()).toBe(ecr.registryHost)
})
