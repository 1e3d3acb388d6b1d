import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { SregistryError } from '../../src/errors/sregistry-error.ts'
import type { CredentialRequest, CredentialSource } from '../../src/registry/credentials.ts'
import { computeDigest, formatDigest } from '../../src/registry/digest.ts'
import { dockerManifestType, ociIndexType } from '../../src/registry/media-types.ts'
import { parseReference } from '../../src/registry/reference.ts'
import { createRegistryClient, type RegistryClient } from '../../src/registry/registry-client.ts'
import { createTransport, type Transport } from '../../src/registry/transport.ts'
import {
  FaultServer,
  rawAnswer,
  redirectTo,
  registryFault,
  reply,
  type Step,
  status,
} from '../fakes/fault-server.ts'
import { TestClock } from '../fakes/test-clock.ts'
import {
  blobPath,
  makeImage,
  makeIndex,
  manifestPath,
  rawDescriptor,
  serve,
} from './image-fixture.ts'

let registry: FaultServer
let transport: Transport
let clock: TestClock

beforeEach(async () => {
  registry = await FaultServer.start()
  transport = createTransport({ env: {} })
  clock = new TestClock()
})

afterEach(async () => {
  await transport.close()
  await registry[Symbol.asyncDispose]()
})

function clientOf(credentials?: CredentialSource, sendsBasicFirst = false): RegistryClient {
  return createRegistryClient({
    host: registry.host,
    transport,
    clock,
    random: () => 1,
    sendsBasicFirst,
    ...(credentials === undefined ? {} : { credentials }),
  })
}

const image = makeImage()
const tagPath = '/v2/app/manifests/v1'
const reference = parseReference('app:v1')
const manifestStep = reply(image.manifest, { 'content-type': dockerManifestType })

async function failureOf(work: Promise<unknown>): Promise<SregistryError> {
  return work.then(
    () => Promise.reject(new Error('it was accepted')),
    (error: SregistryError) => error,
  )
}

async function drain(chunks: AsyncIterable<unknown>): Promise<unknown[]> {
  const all: unknown[] = []
  for await (const chunk of chunks) all.push(chunk)
  return all
}

describe('resolving', () => {
  test('goes straight to the manifest: one request to locate, one more for the config', async () => {
    serve(registry, 'app', 'v1', image)
    const located = await clientOf().locate(reference)
    expect(registry.paths()).toEqual([tagPath])
    const resolved = await clientOf().resolve(located)
    expect(registry.paths()).toEqual([tagPath, blobPath('app', image.config)])
    expect(formatDigest(resolved.manifestDigest)).toBe(formatDigest(computeDigest(image.manifest)))
    expect(resolved.layers.map((layer) => layer.sizeBytes)).toEqual([5000, 70_000])
    expect(resolved.config.config.Cmd).toEqual(['sh'])
    expect(resolved.platform).toEqual({ os: 'linux', architecture: 'amd64' })
    expect(registry.seen[0]?.headers.accept).toContain(ociIndexType)
  })

  test('N26: a tag that moves between two requests does not mix two images', async () => {
    const other = makeImage('other')
    const arm = makeImage('arm', 'arm64')
    const entries = [image, arm].map((one, at) =>
      rawDescriptor(one.manifest, dockerManifestType, {
        platform: { os: 'linux', architecture: at === 0 ? 'amd64' : 'arm64' },
      }),
    )
    for (const one of [image, arm, other]) serve(registry, 'app', 'v1', one)
    registry.on(
      tagPath,
      reply(makeIndex(entries), { 'content-type': ociIndexType }),
      reply(other.manifest, { 'content-type': dockerManifestType }),
    )
    const platform = { os: 'linux', architecture: 'arm64' }
    const resolved = await clientOf().resolve(reference, { platform })
    expect(Buffer.from(resolved.configBytes)).toEqual(arm.config)
    expect(registry.paths()).toEqual([
      tagPath,
      manifestPath('app', arm.manifest),
      blobPath('app', arm.config),
    ])
  })

  test('an index needs no second request to be located', async () => {
    const entry = rawDescriptor(image.manifest, dockerManifestType, {
      platform: { os: 'linux', architecture: 'amd64' },
    })
    registry.on(tagPath, reply(makeIndex([entry]), { 'content-type': ociIndexType }))
    const platform = { os: 'linux', architecture: 'amd64' }
    const located = await clientOf().locate(reference, { platform })
    expect(located.manifestDigest).toEqual(computeDigest(image.manifest))
    expect(registry.seen).toHaveLength(1)
  })

  test('a manifest that an index just named may be a moment behind', async () => {
    serve(registry, 'app', 'x', image)
    const entry = rawDescriptor(image.manifest, dockerManifestType)
    registry.on(tagPath, reply(makeIndex([entry]), { 'content-type': ociIndexType }))
    registry.on(
      manifestPath('app', image.manifest),
      registryFault(404, 'MANIFEST_UNKNOWN'),
      manifestStep,
    )
    await clientOf().resolve(reference)
    expect(clock.sleeps).toEqual([500])
  })

  test('another manifest than the digest asked for is refused', async () => {
    const digest = computeDigest(Buffer.from('something else'))
    registry.on(`/v2/app/manifests/${formatDigest(digest)}`, manifestStep)
    const error = await failureOf(clientOf().locate({ repository: 'app', digest }))
    expect(error.code).toBe('DIGEST_MISMATCH')
  })

  test('an index that lies about the size of its manifest is refused', async () => {
    const entry = { ...rawDescriptor(image.manifest, dockerManifestType), size: 7 }
    registry.on(tagPath, reply(makeIndex([entry]), { 'content-type': ociIndexType }))
    registry.on(manifestPath('app', image.manifest), manifestStep)
    expect(await failureOf(clientOf().resolve(reference))).toMatchObject({ code: 'SIZE_MISMATCH' })
  })

  test('a damaged config is asked for once more', async () => {
    serve(registry, 'app', 'v1', image)
    const wrong = Buffer.from(image.config)
    wrong.writeUInt8(0x20, 3)
    registry.on(blobPath('app', image.config), reply(wrong), reply(image.config))
    expect((await clientOf().resolve(reference)).config.os).toBe('linux')
  })
})

describe('N10, N11: an overloaded registry', () => {
  test.each([500, 502, 503, 504, 429])('%i is tried again, later each time', async (code) => {
    registry.on(tagPath, status(code), status(code), status(code), manifestStep)
    await clientOf().locate(reference)
    expect(clock.sleeps).toEqual([500, 1000, 2000])
  })

  test.each([
    ['seconds', '7', 7000],
    ['a date', new Date(new TestClock().time + 9000).toUTCString(), 9000],
  ])('Retry-After in %s is obeyed', async (_, after, ms) => {
    registry.on(tagPath, status(429, { 'retry-after': after }), manifestStep)
    await clientOf().locate(reference)
    expect(clock.sleeps).toEqual([ms])
  })

  test('Retry-After beyond two minutes ends the wait, saying when to come back', async () => {
    registry.on(tagPath, status(429, { 'retry-after': '3600' }))
    const error = await failureOf(clientOf().locate(reference))
    expect(error.code).toBe('THROTTLED')
    expect(error.hint).toContain('2026-01-01T01:00:00.000Z')
    expect(registry.seen).toHaveLength(1)
  })

  test('it ends after five tries', async () => {
    registry.on(tagPath, status(503))
    const error = await failureOf(clientOf().locate(reference))
    expect(error).toMatchObject({ code: 'REGISTRY_ERROR' })
    expect(error.message).toContain('after 5 tries')
    expect(registry.seen).toHaveLength(5)
  })

  test.each([400, 405, 410])('%i is not tried again', async (code) => {
    registry.on(tagPath, status(code))
    await failureOf(clientOf().locate(reference))
    expect(registry.seen).toHaveLength(1)
  })
})

describe('N12: credentials that run out', () => {
  /** ECR's way: Basic at once, 403 with "expired" when it is over. */
  function ecrLike(valid: () => string): (step: Step) => Step {
    return (step) => (request, response) => {
      const { authorization } = request.headers
      if (authorization === undefined) {
        const challenge = {
          'www-authenticate': 'Basic realm="https://x/",service="ecr.amazonaws.com"',
        }
        return status(401, challenge, 'Not Authorized\n')(request, response)
      }
      if (authorization === `Basic ${valid()}`) return step(request, response)
      const message = 'Your authorization token has expired. Reauthenticate and try again.'
      return registryFault(403, 'DENIED', message)(request, response)
    }
  }

  function countingSource() {
    const asked: CredentialRequest[] = []
    const source: CredentialSource = async (request) => {
      asked.push(request)
      return { kind: 'basic-token', token: `token${asked.length}`, from: 'ECR' }
    }
    return { asked, source }
  }

  test('one refresh serves all workers', async () => {
    const { asked, source } = countingSource()
    let valid = 'token1'
    const guard = ecrLike(() => valid)
    registry.on('/v2/app/manifests/', guard(manifestStep))
    const client = clientOf(source, true)
    await client.locate(reference)
    expect(asked).toHaveLength(1)
    valid = 'token2'
    await Promise.all(Array.from({ length: 8 }, () => client.locate(reference)))
    expect(asked).toHaveLength(2)
    expect(asked[1]?.refused?.status).toBe(403)
    expect(asked[1]?.refused?.message).toContain('has expired')
  })

  test('a fresh token that is refused too is the end', async () => {
    const { asked, source } = countingSource()
    registry.on('/v2/app/manifests/', ecrLike(() => 'never')(manifestStep))
    const error = await failureOf(clientOf(source, true).locate(reference))
    expect(error.code).toBe('CREDENTIALS_EXPIRED')
    expect(error.message).toContain('from ECR')
    expect(asked).toHaveLength(2)
    expect(registry.seen).toHaveLength(2)
  })

  test('403 without the word is no reason to log in again', async () => {
    const { asked, source } = countingSource()
    const message = 'User: arn:aws:iam::1:user/x is not authorized to perform: ecr:BatchGetImage'
    registry.on('/v2/app/manifests/', registryFault(403, 'DENIED', message))
    const error = await failureOf(clientOf(source, true).locate(reference))
    expect(error.code).toBe('ACCESS_DENIED')
    expect(error.message).toContain('ecr:BatchGetImage')
    expect(asked).toHaveLength(1)
    expect(registry.seen).toHaveLength(1)
  })

  test('without credentials the log-in is asked for', async () => {
    registry.on('/v2/app/manifests/', ecrLike(() => '')(manifestStep))
    const error = await failureOf(clientOf(undefined, true).locate(reference))
    expect(error.code).toBe('CREDENTIALS_MISSING')
    expect(error.hint).toContain('log in')
  })

  test('an error of the source is what the user sees', async () => {
    const source: CredentialSource = () => Promise.reject(new Error('no SSO session'))
    await expect(clientOf(source, true).locate(reference)).rejects.toThrow('no SSO session')
  })
})

describe('bearer tokens', () => {
  function bearerRegistry(lifetime: object = {}): { tokens: () => number } {
    let issued = 0
    registry.on('/token', (request, response) => {
      issued += 1
      return reply(JSON.stringify({ token: `t${issued}`, ...lifetime }))(request, response)
    })
    const guard: Step = (request, response) => {
      const isGood = request.headers.authorization === `Bearer t${issued}`
      const challenge = `Bearer realm="${registry.origin}/token",service="svc",scope="repository:app:pull,push"`
      const step = isGood ? manifestStep : status(401, { 'www-authenticate': challenge })
      return step(request, response)
    }
    registry.on('/v2/app/manifests/', guard)
    return { tokens: () => issued }
  }

  test('are fetched anonymously, for pull only, and kept', async () => {
    const { tokens } = bearerRegistry()
    const client = clientOf()
    await client.locate(reference)
    await client.locate(reference)
    expect(tokens()).toBe(1)
    expect(registry.paths()).toEqual([
      tagPath,
      '/token?service=svc&scope=repository%3Aapp%3Apull',
      tagPath,
      tagPath,
    ])
    expect(registry.requestsTo('/token')[0]?.headers.authorization).toBeUndefined()
  })

  test('are renewed before they end, without a refused request', async () => {
    const { tokens } = bearerRegistry({ expires_in: 300 })
    const client = clientOf()
    await client.locate(reference)
    clock.advance(291_000)
    await Promise.all([client.locate(reference), client.locate(reference)])
    expect(tokens()).toBe(2)
    expect(registry.requestsTo('/v2/')).toHaveLength(4)
  })

  test('are asked for with a name where there is one', async () => {
    bearerRegistry()
    const source: CredentialSource = async () => ({
      kind: 'password',
      username: 'u',
      password: 'p:w',
      from: 'the test',
    })
    await clientOf(source).locate(reference)
    const basic = Buffer.from('u:p:w').toString('base64')
    expect(registry.requestsTo('/token')[0]?.headers.authorization).toBe(`Basic ${basic}`)
  })

  test('a refresh token is posted', async () => {
    bearerRegistry()
    const source: CredentialSource = async () => ({ kind: 'identity-token', token: 'r', from: 'x' })
    await clientOf(source).locate(reference)
    expect(registry.requestsTo('/token')[0]?.method).toBe('POST')
  })

  test('a token that is refused at once is not asked for again', async () => {
    const challenge = `Bearer realm="${registry.origin}/token"`
    registry.on('/token', reply('{"token":"x"}'))
    registry.on(tagPath, status(401, { 'www-authenticate': challenge }))
    expect(await failureOf(clientOf().locate(reference))).toMatchObject({
      code: 'CREDENTIALS_MISSING',
    })
    expect(registry.paths()).toEqual([tagPath, '/token?scope=repository%3Aapp%3Apull', tagPath])
  })

  test.each([
    ['another repository', 'scope="repository:other:pull"'],
    ['an oversized service', `service="${'x'.repeat(2000)}"`],
  ])('a challenge for %s is refused', async (_, parameter) => {
    const challenge = `Bearer realm="${registry.origin}/token",${parameter}`
    registry.on(tagPath, status(401, { 'www-authenticate': challenge }))
    expect(await failureOf(clientOf().locate(reference))).toMatchObject({ code: 'PROTOCOL_ERROR' })
    expect(registry.requestsTo('/token')).toHaveLength(0)
  })

  test('a redirect of the token server is not followed', async () => {
    const challenge = `Bearer realm="${registry.origin}/token"`
    registry.on(tagPath, status(401, { 'www-authenticate': challenge }))
    registry.on('/token', redirectTo('/other'))
    await failureOf(clientOf().locate(reference))
    expect(registry.requestsTo('/other')).toHaveLength(0)
  })

  test('N20: a web page in place of a token is called one', async () => {
    const challenge = `Bearer realm="${registry.origin}/token"`
    registry.on(tagPath, status(401, { 'www-authenticate': challenge }))
    registry.on('/token', reply('<html></html>', { 'content-type': 'text/html' }))
    const error = await failureOf(clientOf().locate(reference))
    expect(error.message).toContain('web page instead of a token')
  })
})

describe('answers that are none of a registry', () => {
  test('N20: a web page is called one', async () => {
    registry.on(tagPath, reply('<!DOCTYPE html><p>log in', { 'content-type': 'text/html' }))
    const error = await failureOf(clientOf().locate(reference))
    expect(error.code).toBe('PROTOCOL_ERROR')
    expect(error.message).toContain('web page instead of a manifest')
  })

  test('N24: what is no HTTP ends after at most one retry', async () => {
    registry.on(tagPath, rawAnswer('220 mail.example.org ESMTP\r\n'))
    expect(await failureOf(clientOf().locate(reference))).toMatchObject({ code: 'PROTOCOL_ERROR' })
    expect(registry.seen.length).toBeLessThanOrEqual(2)
  })

  test('N27: an endless error is cut, and shown without escapes and secrets', async () => {
    const endless: Step = (_, response) => {
      response.writeHead(404, { 'content-type': 'text/plain' })
      const more = () => {
        while (
          !response.destroyed &&
          response.write(`\x1b[31mred\u202e token=abcdefghijkl ${'x'.repeat(60_000)}`)
        );
        if (!response.destroyed) response.once('drain', more)
      }
      more()
    }
    registry.on(tagPath, endless)
    const error = await failureOf(clientOf().locate(reference))
    expect(error.code).toBe('MANIFEST_UNKNOWN')
    expect(error.message).toContain('\\x1b[31mred\\u{202e}')
    expect(error.message).not.toContain('abcdefghijkl')
    expect(error.message.length).toBeLessThan(800)
  })

  test('a manifest over 4 MiB is not read', async () => {
    registry.on(
      tagPath,
      reply(Buffer.alloc(5 * 1024 * 1024, 0x20), { 'content-type': dockerManifestType }),
    )
    expect(await failureOf(clientOf().locate(reference))).toMatchObject({ code: 'LIMIT_EXCEEDED' })
  })

  test.each([
    [404, 'NAME_UNKNOWN', 'NAME_UNKNOWN'],
    [404, 'MANIFEST_UNKNOWN', 'MANIFEST_UNKNOWN'],
    [403, 'DENIED', 'ACCESS_DENIED'],
    [401, 'UNAUTHORIZED', 'CREDENTIALS_MISSING'],
    [418, 'TEAPOT', 'REGISTRY_ERROR'],
  ])('%i %s is %s', async (code, name, expected) => {
    registry.on(tagPath, registryFault(code, name, 'because'))
    const error = await failureOf(clientOf().locate(reference))
    expect(error.code).toBe(expected)
    expect(error.message).toContain('because')
  })

  test('N14, N15: a closed port is refused after two retries, without the URL', async () => {
    const { host } = registry
    await registry[Symbol.asyncDispose]()
    const client = createRegistryClient({ host, transport, clock, random: () => 1 })
    const error = await failureOf(client.locate(reference))
    expect(error.code).toBe('NETWORK')
    expect(error.message).toContain('ECONNREFUSED')
    expect(error.message).toContain('after 3 tries')
    registry = await FaultServer.start()
  })
})

describe('tags', () => {
  const list = (tags: readonly string[] | null, link?: string): Step =>
    reply(JSON.stringify({ name: 'app', tags }), {
      'content-type': 'text/plain; charset=utf-8',
      ...(link === undefined ? {} : { link }),
    })

  test('are followed page by page, though ECR calls them text and links absolutely', async () => {
    const next = `<${registry.origin}/v2/app/tags/list?last=OPAQUE%3D>; rel="next"`
    registry.on('/v2/app/tags/list', list(['b', 'a'], next), list(['Z']))
    expect(await drain(clientOf().tags('app'))).toEqual(['b', 'a', 'Z'])
    expect(registry.paths()).toEqual([
      '/v2/app/tags/list?n=1000',
      '/v2/app/tags/list?last=OPAQUE%3D',
    ])
  })

  test('of an empty repository are none', async () => {
    registry.on('/v2/app/tags/list', list(null))
    expect(await drain(clientOf().tags('app'))).toEqual([])
  })

  test('on another origin are not followed', async () => {
    registry.on(
      '/v2/app/tags/list',
      list(['a'], '<http://localhost:1/v2/app/tags/list>; rel="next"'),
    )
    expect(await failureOf(drain(clientOf().tags('app')))).toMatchObject({ code: 'PROTOCOL_ERROR' })
  })

  test('that repeat themselves end', async () => {
    registry.on('/v2/app/tags/list', list(['a'], '</v2/app/tags/list?n=1000>; rel=next'))
    expect(await failureOf(drain(clientOf().tags('app')))).toMatchObject({ code: 'PROTOCOL_ERROR' })
  })
})

test('ping asks /v2/ and nothing else', async () => {
  registry.on('/v2/', reply('{}'))
  await clientOf().ping()
  expect(registry.paths()).toEqual(['/v2/'])
})

test('an aborted request rejects with CANCELLED at once', async () => {
  const controller = new AbortController()
  registry.on(tagPath, () => controller.abort())
  const { signal } = controller
  expect(await failureOf(clientOf().locate(reference, { signal }))).toMatchObject({
    code: 'CANCELLED',
  })
})

test('a host with a path, or of nonsense, is refused', () => {
  expect(() => createRegistryClient({ host: 'x.org/y', transport })).toThrow('not a registry')
})
