import { chmod, mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { AuthorizationTokenSource, decodeToken } from '../../src/aws/authorization-token.ts'
import { authorizationTokenCache } from '../../src/aws/authorization-token-cache.ts'
import { ecrCredentialSource } from '../../src/aws/registry-credentials.ts'
import { type LocalEcr, startLocalEcr } from '../../src/local-ecr/local-ecr.ts'
import { type AwsWorld, openAwsWorld } from './aws-world.ts'

let ecr: LocalEcr
let root: string
let world: AwsWorld

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'aws-token-'))
  ecr = await startLocalEcr({ root })
  world = openAwsWorld(ecr.environment)
})
afterAll(async () => {
  await world.close()
  await ecr.close()
  await rm(root, { recursive: true, force: true })
})
beforeEach(() => {
  ecr.faults.clear()
  ecr.policy.clear()
})

function tokenRequests(): number {
  return ecr.requests.filter(({ operation }) => operation === 'GetAuthorizationToken').length
}

async function pingStatus(token: { basic: { reveal(): string } }): Promise<number> {
  const headers = { authorization: `Basic ${token.basic.reveal()}` }
  return (await fetch(`http://${ecr.registryHost}/v2/`, { headers })).status
}

describe('a token from the control plane', () => {
  test('opens the registry that it names', async () => {
    const token = await new AuthorizationTokenSource(world.connection.controlPlane).get()
    expect(token.registryHost).toBe(ecr.registryHost)
    expect(token.username).toBe('AWS')
    expect(token.expiresAt.getTime() - token.obtainedAt.getTime()).toBeGreaterThan(11 * 3600_000)
    expect(Buffer.from(token.basic.reveal(), 'base64').toString()).toBe(
      `AWS:${token.password.reveal()}`,
    )
    expect(await pingStatus(token)).toBe(200)
  })

  test('is asked for once by many at the same time, and held', async () => {
    const tokens = new AuthorizationTokenSource(world.connection.controlPlane)
    const before = tokenRequests()
    const all = await Promise.all(Array.from({ length: 20 }, () => tokens.get()))
    await tokens.get()
    expect(new Set(all).size).toBe(1)
    expect(tokenRequests() - before).toBe(1)
  })

  test('is asked for again when half its life is over, not before', async () => {
    let now = Date.now()
    const tokens = new AuthorizationTokenSource(world.connection.controlPlane, { now: () => now })
    const first = await tokens.get()
    now += 6 * 3600_000 - 60_000
    expect(await tokens.get()).toBe(first)
    now += 120_000
    expect(await tokens.get()).not.toBe(first)
  })

  test('stays in use while it is good, when the renewal fails', async () => {
    let now = Date.now()
    const tokens = new AuthorizationTokenSource(world.connection.controlPlane, { now: () => now })
    const first = await tokens.get()
    ecr.policy.deny({ action: 'GetAuthorizationToken' })
    now += 7 * 3600_000
    expect(await tokens.get()).toBe(first)
    now += 6 * 3600_000
    await expect(tokens.get()).rejects.toMatchObject({ code: 'ACCESS_DENIED' })
  })

  test('that expired in mid-pull is replaced once for all downloads', async () => {
    const tokens = new AuthorizationTokenSource(world.connection.controlPlane)
    const first = await tokens.get()
    ecr.expireTokens()
    expect(await pingStatus(first)).toBe(403)
    const before = tokenRequests()
    const renewed = await Promise.all(
      Array.from({ length: 8 }, () => tokens.renew(first.basic.reveal())),
    )
    renewed.push(await tokens.renew(first.basic.reveal()))
    expect(new Set(renewed).size).toBe(1)
    expect(tokenRequests() - before).toBe(1)
    expect(await pingStatus(await tokens.get())).toBe(200)
  })

  test('is not waited for by a caller that was cancelled', async () => {
    const tokens = new AuthorizationTokenSource(world.connection.controlPlane)
    ecr.faults.add({ listener: 'api', fault: { kind: 'stall', afterBytes: 0 }, times: 1 })
    const stop = new AbortController()
    const waiting = tokens.get(stop.signal)
    stop.abort()
    await expect(waiting).rejects.toMatchObject({ code: 'CANCELLED' })
  })

  test('shows no secret, however it is inspected', async () => {
    const token = await new AuthorizationTokenSource(world.connection.controlPlane).get()
    const shown = [
      inspect(token, { depth: Number.POSITIVE_INFINITY, showHidden: true }),
      JSON.stringify(token),
      `${token.basic}${token.password}`,
    ].join('\n')
    expect(shown).toContain('***')
    expect(shown).not.toContain(token.basic.reveal().slice(0, 40))
    expect(shown).not.toContain(token.password.reveal().slice(0, 40))
  })
})

describe('the credentials of the registry client', () => {
  const refused = async (message: string, status: number) => {
    const source = ecrCredentialSource(new AuthorizationTokenSource(world.connection.controlPlane))
    const credentials = await source({ host: ecr.registryHost })
    if (credentials === undefined) throw new Error('no credentials')
    const answer = await source({
      host: ecr.registryHost,
      refused: { credentials, status, message },
    })
    return { credentials, answer }
  }

  test.each([
    ['an unknown token', 401, 'Not Authorized'],
    [
      'an expired token',
      403,
      'Your authorization token has expired. Reauthenticate and try again.',
    ],
    [
      'the old form of it',
      403,
      "Your Authorization Token has expired. Please run 'aws ecr get-login'",
    ],
  ])('are renewed after %s', async (_, status, message) => {
    const { credentials, answer } = await refused(message, status)
    expect(answer).toMatchObject({ kind: 'basic-token' })
    expect(answer).not.toEqual(credentials)
  })

  test.each([
    'evil.example',
    'evil.example:443',
    '111111111111.dkr.ecr.us-east-1.amazonaws.com.evil.example',
  ])('are not sent to %s, which is no ECR', async (host) => {
    const source = ecrCredentialSource(new AuthorizationTokenSource(world.connection.controlPlane))
    await expect(source({ host })).rejects.toMatchObject({ code: 'SETTING_INVALID' })
  })

  test.each(['111111111111.dkr.ecr.us-east-1.amazonaws.com', 'mine.example:5000'])(
    'are sent to %s: an ECR, or the host that the user set',
    async (host) => {
      const tokens = new AuthorizationTokenSource(world.connection.controlPlane)
      const source = ecrCredentialSource(tokens, 'mine.example:5000')
      expect(await source({ host })).toMatchObject({ kind: 'basic-token' })
    },
  )

  test('are not renewed after a refusal by policy', async () => {
    const { answer } = await refused('User: x is not authorized to perform: ecr:BatchGetImage', 403)
    expect(answer).toBeUndefined()
  })
})

describe('the token on disk', () => {
  test('is written only where a path is given, 0600, and read by the next run', async () => {
    const path = join(root, 'kept', 'tokens.json')
    const cache = authorizationTokenCache(path, ['us-east-1', 'AKIA'])
    const first = await new AuthorizationTokenSource(world.connection.controlPlane, { cache }).get()
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    const before = tokenRequests()
    const next = await new AuthorizationTokenSource(world.connection.controlPlane, { cache }).get()
    expect(next.basic.reveal()).toBe(first.basic.reveal())
    expect(tokenRequests()).toBe(before)
  })

  test('of another identity is not taken', async () => {
    const path = join(root, 'identities.json')
    const one = authorizationTokenCache(path, ['us-east-1', 'AKIAONE'])
    const other = authorizationTokenCache(path, ['us-east-1', 'AKIATWO'])
    await new AuthorizationTokenSource(world.connection.controlPlane, { cache: one }).get()
    expect(await one.read()).toBeDefined()
    expect(await other.read()).toBeUndefined()
  })

  test('that others can read counts as empty', async () => {
    const path = join(root, 'open.json')
    const cache = authorizationTokenCache(path, ['us-east-1'])
    await new AuthorizationTokenSource(world.connection.controlPlane, { cache }).get()
    expect(await cache.read()).toBeDefined()
    await chmod(path, 0o644)
    expect(await cache.read()).toBeUndefined()
  })

  test.each(['{"a":', '[]', 'null', '{"k": 1}'])(
    'that is damaged (%s) counts as empty',
    async (text) => {
      const path = join(root, 'damaged.json')
      await writeFile(path, text, { mode: 0o600 })
      const cache = authorizationTokenCache(path, ['us-east-1'])
      expect(await cache.read()).toBeUndefined()
      await new AuthorizationTokenSource(world.connection.controlPlane, { cache }).get()
      expect(await cache.read()).toBeDefined()
    },
  )

  test('that cannot be written is an error that names the setting', async () => {
    await writeFile(join(root, 'a-file'), '')
    const cache = authorizationTokenCache(join(root, 'a-file', 'tokens.json'), ['us-east-1'])
    const tokens = new AuthorizationTokenSource(world.connection.controlPlane, { cache })
    await expect(tokens.get()).rejects.toMatchObject({
      code: 'NOT_WRITABLE',
      hint: expect.stringContaining('SREGISTRY_CREDENTIALS_CACHE'),
    })
  })
})

test.each([
  ['no base64 of AWS:…', 'bm9ib2R5OnB3', 'https://example.com'],
  ['an empty password', 'QVdTOg==', 'https://example.com'],
  ['no URL', 'QVdTOnB3', 'nowhere'],
])('a token with %s is refused as a broken answer', (_, basic, registryUrl) => {
  const encoded = { basic, registryUrl, obtainedAt: new Date(0), expiresAt: new Date(1) }
  expect(() => decodeToken(encoded)).toThrow(
    expect.objectContaining({ code: 'PROTOCOL_ERROR' }) as Error,
  )
})
