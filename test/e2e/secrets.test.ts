/**
 * Secrets planted in every place that credentials come from, and every command run with them, in
 * success and in failure: none of them may come out, in any form, on any way.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Fault, ListenerName } from '../../src/local-ecr/fault.ts'
import { filesWithSecrets, plantedSecrets, secretsIn } from '../fakes/planted-secrets.ts'
import { type Outcome, type Start, World } from './sregistry.ts'

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
}

/** Where the user keeps secrets: they may stay there, and nowhere else. */
const isUsersOwn = (path: string) => /^home\/(?:\.docker\/config\.json|\.sregistry)$/.test(path)

const proxy = `http://me:${encodeURIComponent(plantedSecrets.proxyPassword)}@127.0.0.1:1`
const ownKeys = {
  SREGISTRY_AWS_KEY: 'AKIAPLANTEDPLANTED01',
  SREGISTRY_AWS_SECRET: plantedSecrets.ownSecretKey,
  SREGISTRY_DOCKERHUB_PASSWORD: plantedSecrets.dockerPassword,
  HTTP_PROXY: proxy,
  HTTPS_PROXY: proxy,
  AWS_EC2_METADATA_DISABLED: 'true',
}
const sessionKeys = {
  ...ownKeys,
  SREGISTRY_AWS_KEY: undefined,
  SREGISTRY_AWS_SECRET: undefined,
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
