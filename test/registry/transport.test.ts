import { spawnSync } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { readAtMost } from '../../src/registry/bounded-body.ts'
import { networkFailure } from '../../src/registry/network-failure.ts'
import { proxyChoice } from '../../src/registry/proxy.ts'
import { createTransport, type StreamAnswer, type Transport } from '../../src/registry/transport.ts'
import { FaultServer, reply, stallAfter, status } from '../fakes/fault-server.ts'
import { hasTool } from '../fakes/tools.ts'

let server: FaultServer
const transports: Transport[] = []

beforeEach(async () => {
  server = await FaultServer.start()
})

afterEach(async () => {
  for (const transport of transports.splice(0)) await transport.close()
  await server[Symbol.asyncDispose]()
})

function transportOf(env: Record<string, string>): Transport {
  const transport = createTransport({ env, userAgent: 'sregistry/test' })
  transports.push(transport)
  return transport
}

const small = (url: string) => ({ method: 'GET' as const, url: new URL(url), maxBytes: 1000 })

/** A small answer, a stream, and one that is known to be small: each has its own way. */
async function everyWay(transport: Transport, url: string): Promise<string[]> {
  const texts = [Buffer.from((await transport.ask(small(url))).bytes).toString()]
  for (const size of [{}, { expectedBytes: 1000 }]) {
    const { body } = await transport.stream({ method: 'GET', url: new URL(url), ...size })
    const bytes = await readAtMost(body, 1000, { what: 'it', isCut: false })
    texts.push(Buffer.from(bytes).toString())
  }
  return texts
}

test('all ways say who asks, want identity, and follow no redirect', async () => {
  server.on('/a', status(307, { location: '/b' }, 'there'))
  expect(await everyWay(transportOf({}), `${server.origin}/a`)).toEqual(['there', 'there', 'there'])
  for (const seen of server.seen) {
    expect(seen.headers['user-agent']).toBe('sregistry/test')
    expect(seen.headers['accept-encoding']).toBe('identity')
  }
})

test('a proxy is asked for plain http without a tunnel, with its password and nobody else’s', async () => {
  server.on('http://registry.test/', reply('by proxy'))
  const transport = transportOf({ HTTP_PROXY: `http://user:pass@${server.host}` })
  expect(await everyWay(transport, 'http://registry.test/v2/')).toEqual([
    'by proxy',
    'by proxy',
    'by proxy',
  ])
  const basic = `Basic ${Buffer.from('user:pass').toString('base64')}`
  expect(server.seen.map((seen) => seen.headers['proxy-authorization'])).toEqual([
    basic,
    basic,
    basic,
  ])
})

test('this machine is never asked for by a proxy', async () => {
  server.on('/x', reply('direct'))
  const transport = transportOf({ HTTP_PROXY: 'http://127.0.0.1:9' })
  expect(await everyWay(transport, `${server.origin}/x`)).toEqual(['direct', 'direct', 'direct'])
})

test.each([
  [{ HTTPS_PROXY: 'http://p:1' }, 'https://a.org/', 'p:1'],
  [{ HTTP_PROXY: 'http://p:1' }, 'https://a.org/', undefined],
  [{ https_proxy: 'http://low:1', HTTPS_PROXY: 'http://up:1' }, 'https://a.org/', 'low:1'],
  [{ ALL_PROXY: 'http://u:secret@p:1' }, 'https://a.org/', 'p:1'],
  [{ ALL_PROXY: 'http://p:1', NO_PROXY: '.a.org' }, 'https://x.a.org/', undefined],
  [{ ALL_PROXY: 'http://p:1', NO_PROXY: 'a.org' }, 'https://x.a.org/', undefined],
  [{ ALL_PROXY: 'http://p:1', NO_PROXY: '*.a.org:8443' }, 'https://x.a.org/', 'p:1'],
  [{ ALL_PROXY: 'http://p:1', NO_PROXY: 'b.org, *' }, 'https://x.a.org/', 'p:1'],
  [{ ALL_PROXY: 'http://p:1', NO_PROXY: '*' }, 'https://x.a.org/', undefined],
  [{ ALL_PROXY: 'http://p:1', NO_PROXY: 'a.org' }, 'https://nota.org/', 'p:1'],
  [{ ALL_PROXY: 'http://p:1' }, 'http://169.254.169.254/', undefined],
])('%j takes %s by %s', (env, url, proxy) => {
  expect(proxyChoice(env).proxyOf(new URL(url))).toBe(proxy)
})

test('N9: an answer that never comes ends in time', async () => {
  server.on('/x', () => undefined)
  const asking = transportOf({}).ask({ ...small(`${server.origin}/x`), timeoutMs: 30 })
  await expect(asking).rejects.toMatchObject({ error: { code: 'TIMEOUT' } })
})

test('the limit holds for the body too', async () => {
  server.on('/x', stallAfter(Buffer.alloc(500), 100))
  const asking = transportOf({}).ask({ ...small(`${server.origin}/x`), timeoutMs: 60 })
  await expect(asking).rejects.toMatchObject({ error: { code: 'TIMEOUT' } })
})

test.each([
  ['head', () => undefined],
  ['body', stallAfter(Buffer.alloc(500), 100)],
])('a small stream whose %s never comes ends in time', async (_, step) => {
  server.on('/x', step)
  const limits = { headersMs: 40, idleMs: 40 }
  const transport = createTransport({ env: {}, limits })
  transports.push(transport)
  const streaming = async () => {
    const url = new URL(`${server.origin}/x`)
    const { body } = await transport.stream({ method: 'GET', url, expectedBytes: 500 })
    await readAtMost(body, 1000, { what: 'it', isCut: false })
  }
  const failure = await streaming().catch((thrown) => thrown)
  expect(failure.error ?? failure).toMatchObject({ code: 'TIMEOUT' })
})

test('a small stream is given its time from when it has a connection', async () => {
  const answers: (() => void)[] = []
  // the first keeps the only connection for longer than an answer may take
  server.on('/first', (_, response) => {
    response.writeHead(200, { 'content-length': 10 }).write('12345')
    answers.push(() => response.end('67890'))
  })
  server.on('/second', reply('whole'))
  const limits = { headersMs: 40, maxConnectionsPerHost: 1 }
  const transport = createTransport({ env: {}, limits })
  transports.push(transport)
  const stream = (path: string) =>
    transport.stream({ method: 'GET', url: new URL(path, server.origin), expectedBytes: 10 })
  const bytesOf = ({ body }: StreamAnswer) => readAtMost(body, 10, { what: 'it', isCut: false })
  const first = await stream('/first')
  const second = stream('/second').then(bytesOf)
  setTimeout(() => answers[0]?.(), 200)
  expect(Buffer.from(await bytesOf(first)).toString()).toBe('1234567890')
  expect(Buffer.from(await second).toString()).toBe('whole')
})

test('N14: a host that does not exist is told at once, without the query', async () => {
  const asking = transportOf({}).ask(small('http://registry.invalid/v2/?token=SECRET'))
  const failure = await asking.catch((thrown) => thrown)
  expect(failure.error.code).toBe('NETWORK')
  expect(failure.error.message).toContain('registry.invalid')
  expect(JSON.stringify([failure.error.message, failure.error.cause])).not.toContain('SECRET')
})

test('a failure inside failures is found, also in an AggregateError', () => {
  const root = Object.assign(new Error('x'), { code: 'ETIMEDOUT' })
  const thrown = new TypeError('fetch failed', { cause: new AggregateError([root]) })
  const { error } = networkFailure(thrown, { host: 'h' })
  expect(error).toMatchObject({
    code: 'TIMEOUT',
    message: 'h: the connection timed out (ETIMEDOUT)',
  })
})

test.each([
  'Proxy response (407) !== 200 when HTTP Tunneling',
  'Proxy response (401) !== 200 when HTTP Tunneling',
  'Proxy Authentication Required (407)',
])('N25: a proxy that wants a log-in is named: %s', (sentence) => {
  const cause = new Error(sentence)
  const { error } = networkFailure(new TypeError('fetch failed', { cause }), {
    host: 'h',
    proxy: 'p:1',
  })
  expect(error.message).toBe('the proxy p:1 wants a name and a password for h')
})

describe.skipIf(!hasTool('openssl'))('N16: certificates', () => {
  let directory: string
  let secure: ReturnType<typeof createServer>
  let url: string

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'sregistry-tls-'))
    const files = ['-keyout', join(directory, 'key.pem'), '-out', join(directory, 'cert.pem')]
    const name = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost']
    const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2']
    spawnSync('openssl', ['req', '-x509', ...kind, ...files, ...name])
    const [key, cert] = await Promise.all([
      readFile(join(directory, 'key.pem')),
      readFile(join(directory, 'cert.pem')),
    ])
    secure = createServer({ key, cert }, (_, response) => response.end('secure'))
    await new Promise<void>((resolve) => secure.listen(0, '127.0.0.1', resolve))
    url = `https://localhost:${(secure.address() as AddressInfo).port}/`
  })

  afterEach(async () => {
    secure.closeAllConnections()
    await new Promise((resolve) => secure.close(resolve))
    await rm(directory, { recursive: true })
  })

  test('an unknown one is refused, saying what to set', async () => {
    const failure = await transportOf({})
      .ask(small(url))
      .catch((thrown) => thrown)
    expect(failure.error).toMatchObject({ code: 'TLS' })
    expect(failure.error.hint).toContain('NODE_EXTRA_CA_CERTS')
  })

  test('AWS_CA_BUNDLE makes it known, to all ways', async () => {
    const transport = transportOf({ AWS_CA_BUNDLE: join(directory, 'cert.pem') })
    expect(await everyWay(transport, url)).toEqual(['secure', 'secure', 'secure'])
  })

  test('http on a TLS port and TLS on an http port are told', async () => {
    const plain = `https://${server.host}/`
    const failure = await transportOf({})
      .ask(small(plain))
      .catch((thrown) => thrown)
    expect(failure.error).toMatchObject({ code: 'TLS' })
    expect(failure.error.message).toContain('does not speak TLS')
  })
})
