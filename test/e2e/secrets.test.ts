/**
 * Secrets planted in every place that credentials come from, and every command run with them, in
 * success and in failure: none of them may come out, in any form, on any way.
 */
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Fault, ListenerName } from '../../src/local-ecr/fault.ts'
import { filesWithSecrets, plantedSecrets, secretsIn } from '../fakes/planted-secrets.ts'
import { Terminal } from '../fakes/terminal.ts'
import { hasTool } from '../fakes/tools.ts'
import { launcher, type Outcome, type Start, World } from './sregistry.ts'

const image = 'science/hello:1.0'
const account = '123456789012'

let world: World
beforeAll(async () => {
  world = await World.start()
  const { ownSecretKey, awsSecretKey, sessionToken } = plantedSecrets
  const arn = `arn:aws:iam::${account}:user/planted`
  world.ecr.ecr.addPrincipal({
    arn,
    accessKeyId: 'AKIAPLANTEDPLANTED01',
    secretAccessKey: ownSecretKey,
  })
  world.ecr.ecr.addPrincipal({
    arn,
    accessKeyId: 'ASIAPLANTEDPLANTED02',
    secretAccessKey: awsSecretKey,
    sessionToken,
  })
  plantFiles()
})
afterAll(() => world[Symbol.asyncDispose]())
afterEach(() => world.ecr.ecr.faults.clear())

function plantFiles(): void {
  const { dockerPassword, nvidiaToken } = plantedSecrets
  const auth = Buffer.from(`me:${dockerPassword}`).toString('base64')
  mkdirSync(join(world.home, '.docker'))
  writeFileSync(
    join(world.home, '.docker/config.json'),
    JSON.stringify({ auths: { [world.ecr.ecr.registryHost]: { auth } } }),
  )
  writeFileSync(
    join(world.home, '.sregistry'),
    JSON.stringify({ nvidia: { SREGISTRY_NVIDIA_TOKEN: nvidiaToken } }),
    { mode: 0o600 },
  )
  plantAwsFiles()
}

/** One profile for each kind of source that keeps a secret in a file; the last four give no credentials. */
function plantAwsFiles(): void {
  const { awsSecretKey, sessionToken } = plantedSecrets
  const folder = join(world.home, '.aws')
  const pair = { AccessKeyId: 'ASIAPLANTEDPLANTED02', SecretAccessKey: awsSecretKey }
  const made = JSON.stringify({ Version: 1, ...pair, SessionToken: sessionToken })
  mkdirSync(join(folder, 'sso/cache'), { recursive: true })
  writeFileSync(join(folder, 'made.json'), made)
  writeFileSync(join(folder, 'token'), sessionToken)
  writeFileSync(
    join(folder, 'credentials'),
    `[static]
aws_access_key_id = ${pair.AccessKeyId}
aws_secret_access_key = ${awsSecretKey}
aws_session_token = ${sessionToken}
`,
  )
  writeFileSync(
    join(folder, 'config'),
    `[profile made]
credential_process = cat ${join(folder, 'made.json')}
[profile torn]
credential_process = cut -c 2- ${join(folder, 'made.json')}
[profile told]
credential_process = sh ${join(folder, 'told.sh')}
[profile sso]
sso_session = lab
sso_account_id = ${account}
sso_role_name = puller
[sso-session lab]
sso_region = us-east-1
sso_start_url = https://lab.awsapps.com/start
[profile web]
role_arn = arn:aws:iam::${account}:role/web
web_identity_token_file = ${join(folder, 'token')}
`,
  )
  writeFileSync(join(folder, 'told.sh'), `echo "${awsSecretKey} is refused" >&2; exit 1\n`)
  const expiresAt = new Date(Date.now() + 3_600_000).toISOString()
  const login = JSON.stringify({ accessToken: sessionToken, expiresAt })
  const name = createHash('sha1').update('lab').digest('hex')
  writeFileSync(join(folder, 'sso/cache', `${name}.json`), login)
}

/** Where the user keeps secrets: they may stay there, and nowhere else. */
const isUsersOwn = (path: string) =>
  /^home\/(?:\.docker\/config\.json|\.sregistry|\.aws\/.*)$/.test(path)

const proxy = `http://me:${encodeURIComponent(plantedSecrets.proxyPassword)}@127.0.0.1:1`
const ownKeys = {
  SREGISTRY_AWS_KEY: 'AKIAPLANTEDPLANTED01',
  SREGISTRY_AWS_SECRET: plantedSecrets.ownSecretKey,
  SREGISTRY_DOCKERHUB_PASSWORD: plantedSecrets.dockerPassword,
  HTTP_PROXY: proxy,
  HTTPS_PROXY: proxy,
  AWS_EC2_METADATA_DISABLED: 'true',
}
const noKeys = { SREGISTRY_AWS_KEY: undefined, SREGISTRY_AWS_SECRET: undefined }
const sessionKeys = {
  ...ownKeys,
  ...noKeys,
  AWS_ACCESS_KEY_ID: 'ASIAPLANTEDPLANTED02',
  AWS_SECRET_ACCESS_KEY: plantedSecrets.awsSecretKey,
  AWS_SESSION_TOKEN: plantedSecrets.sessionToken,
}

/** Commands that ask the registry, and so hold every secret that there is. */
const asking: readonly (readonly string[])[] = [
  ['doctor', image],
  ['whoami'],
  ['token'],
  ['ping'],
  ['repositories'],
  ['tags', 'science/hello'],
  ['search', 'hello'],
  ['describe', 'science/hello'],
  ['describe', image],
  ['manifest', image],
  ['layers', image],
  ['create', 'team/planted'],
  ['policy', 'pull'],
  ['pull', '--force', image],
]
const only = (...names: readonly string[]) => asking.filter(([name]) => names.includes(name ?? ''))

/** Commands that look at settings and at what is on this machine. */
const local: readonly (readonly string[])[] = [
  ['backend', 'ls'],
  ['backend', 'ls', 'nvidia'],
  ['backend', 'status'],
  ['doctor', '--fix'],
  ['images'],
  ['get', image],
  ['inspect', image],
  ['labels'],
  ['export', image, 'tree.tar'],
  ['cache', 'ls'],
]
const calls = [
  'client.settings',
  'client.whoami()',
  'client.token()',
  'client.doctor()',
  'client',
  '({ inside: client })',
  'console.log(client)',
  'JSON.stringify(client)',
  'client.context',
  "client.describe('science/hello:1.0')",
  "require('node:util').inspect(client, { depth: 9, showHidden: true })",
  "client.pull('science/hello:1.0')",
]

async function runAll(
  commands: readonly (readonly string[])[],
  env: NonNullable<Start['env']>,
): Promise<readonly (Outcome & { readonly args: string })[]> {
  const outcomes: (Outcome & { readonly args: string })[] = []
  const waiting = [...commands]
  const work = async () => {
    for (let args = waiting.shift(); args !== undefined; args = waiting.shift()) {
      outcomes.push({ ...(await world.run(['--debug', ...args], { env })), args: args.join(' ') })
    }
  }
  await Promise.all([work(), work(), work()])
  return outcomes
}

function expectNoSecrets(outcomes: readonly (Outcome & { readonly args: string })[]): void {
  const told = outcomes.flatMap(({ args, stdout, stderr }) =>
    secretsIn(stdout + stderr).map((found) => `${args}: ${found}`),
  )
  expect(told).toEqual([])
  expect(filesWithSecrets(world.directory, isUsersOwn)).toEqual([])
}

const failed = (outcomes: readonly (Outcome & { readonly args: string })[]) =>
  outcomes.filter(({ code }) => code !== 0).map(({ args }) => args)

describe('no secret comes out', () => {
  test('where everything works', async () => {
    const first = await runAll(asking, ownKeys)
    const outcomes = [...first, ...(await runAll(local, ownKeys))]
    expect(failed(outcomes)).toEqual([])
    expectNoSecrets(outcomes)
  })

  test('with session keys, also as JSON', async () => {
    const asked = only('doctor', 'whoami', 'token', 'describe', 'pull')
    const asJson = [...asked, ['backend', 'status']].map((args) => ['--json', ...args])
    const outcomes = await runAll(asJson, sessionKeys)
    expect(failed(outcomes)).toEqual([])
    expectNoSecrets(outcomes)
  })

  const works = ['static', 'made']
  const fails = ['torn', 'told', 'sso', 'web']
  test.each([...works, ...fails])('with profile %s', async (profile) => {
    const env = { ...ownKeys, ...noKeys, AWS_PROFILE: profile }
    const commands = [['doctor', image], ['--json', 'doctor', image], ['whoami'], ['pull', image]]
    const outcomes = await runAll(commands, env)
    expect(failed(outcomes)).toHaveLength(works.includes(profile) ? 0 : outcomes.length)
    expectNoSecrets(outcomes)
  })

  test("with a container's credential endpoint that cannot be reached", async () => {
    const { sessionToken } = plantedSecrets
    const env = {
      ...ownKeys,
      ...noKeys,
      AWS_CONTAINER_CREDENTIALS_FULL_URI: `http://127.0.0.1:1/role?token=${encodeURIComponent(sessionToken)}`,
      AWS_CONTAINER_AUTHORIZATION_TOKEN: sessionToken,
    }
    const outcomes = await runAll([['doctor', image], ['whoami'], ['pull', image]], env)
    expect(failed(outcomes)).toHaveLength(outcomes.length)
    expectNoSecrets(outcomes)
  })

  test('from the shell, whatever it is asked to show', async () => {
    const flags = calls.flatMap((code) => ['-e', code])
    const outcomes = await runAll(
      [
        ['shell', ...flags],
        ['--json', 'shell', ...flags],
      ],
      ownKeys,
    )
    expect(failed(outcomes)).toEqual([])
    expectNoSecrets(outcomes)
  })

  test('where AWS refuses the keys', async () => {
    const wrong = { ...ownKeys, SREGISTRY_AWS_KEY: 'AKIAPLANTEDPLANTED02' }
    const outcomes = await runAll(
      only('doctor', 'token', 'tags', 'describe', 'pull', 'create'),
      wrong,
    )
    expect(failed(outcomes)).toHaveLength(outcomes.length)
    expectNoSecrets(outcomes)
  })

  test('where a proxy, a settings file or another registry fails', async () => {
    const { registryHost } = world.ecr.ecr
    const behindProxy = { ...ownKeys, AWS_ENDPOINT_URL_ECR: 'https://api.test' }
    const broken = join(world.work, 'broken.json')
    writeFileSync(broken, `{"aws": {"SREGISTRY_AWS_SECRET": "${plantedSecrets.ownSecretKey}"`)
    const outcomes = [
      ...(await runAll([['whoami'], ['pull', image], ['doctor']], behindProxy)),
      ...(await runAll([['pull', `docker://${registryHost}/${image}`]], ownKeys)),
      ...(await runAll([['backend', 'status']], { SREGISTRY_CLIENT_SECRETS: broken })),
    ]
    expect(failed(outcomes)).toHaveLength(outcomes.length)
    writeFileSync(broken, '')
    expectNoSecrets(outcomes)
  })

  const faults: readonly (readonly [ListenerName, Fault])[] = [
    ['api', { kind: 'html' }],
    ['registry', { kind: 'html' }],
    ['registry', { kind: 'challenge', wwwAuthenticate: 'Basic realm="elsewhere"' }],
    ['blobs', { kind: 'redirect', hops: 9 }],
    ['blobs', { kind: 'wrong-byte', at: 10 }],
  ]
  test.each(faults)('where %s fails: %j', async (listener, fault) => {
    world.ecr.ecr.faults.add({ listener, fault })
    const commands = [
      ['pull', '--force', '--no-cache', image],
      ['doctor', image],
    ]
    const outcomes = await runAll(commands, { ...sessionKeys, SREGISTRY_AWS_KEY: '' })
    expect(failed(outcomes)).toContain(commands[0]?.join(' '))
    expectNoSecrets(outcomes)
  })
})

test.skipIf(!hasTool('tmux'))('a session at the prompt leaves none on screen or disk', async () => {
  const { registryHost } = world.ecr.ecr
  const env = { ...world.env, ...ownKeys, LANG: 'C.UTF-8' }
  const command = [process.execPath, launcher, '--debug', 'shell', '--quiet']
  const saved = join(world.work, 'saved.session')
  const terminal = Terminal.open({ command, env, columns: 200, rows: 800 })
  const prompt = /aws:us-east-1>$/
  const enter = async (line: string) => {
    terminal.type(line)
    await terminal.until(line.slice(-40))
    terminal.press('Enter')
    await terminal.until(prompt)
  }
  try {
    await terminal.until(prompt)
    for (const line of [
      'client.whoami()',
      'client.token()',
      'client.settings',
      'client',
      "client.tags('science/none')",
      '.error',
      `client.pull('docker://${registryHost}/${image}')`,
      '.error',
      "require('node:util').inspect(client, { depth: 9, showHidden: true })",
      `.save ${saved}`,
    ]) {
      await enter(line)
    }
    const shown = terminal.lines().join('\n')
    expect(shown).toContain('AKIA…')
    expect(shown).toContain('NAME_UNKNOWN')
    expect(secretsIn(shown)).toEqual([])
    // what is typed is on the screen, and stays nowhere else
    await enter(`.use SREGISTRY_AWS_SECRET=${plantedSecrets.ownSecretKey}`)
    await enter(`.save ${saved}`)
  } finally {
    terminal.close()
  }
  const history = readFileSync(join(world.home, '.local/state/sregistry/history'), 'utf8')
  expect(history).toContain('client.whoami()')
  expect(readFileSync(saved, 'utf8')).toContain('client.token()')
  expect(filesWithSecrets(world.directory, isUsersOwn)).toEqual([])
})

test('the search finds a secret in each form', () => {
  const { ownSecretKey: secret, proxyPassword } = plantedSecrets
  const forms = [
    secret,
    encodeURIComponent(proxyPassword),
    JSON.stringify({ secret }),
    Buffer.from(`AWS:${secret}`).toString('base64'),
    Buffer.from(`me2:${secret}:`).toString('base64'),
    Buffer.from(secret).toString('base64'),
    `QVdTOmV5Snd${'a'.repeat(50)}`,
    `?X-Amz-Signature=${'0a'.repeat(32)}`,
  ]
  for (const form of forms) expect(secretsIn(`so ${form} then`), form).not.toEqual([])
})
