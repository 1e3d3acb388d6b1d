/** A container's credential endpoint in every state that one has been seen in. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { containerCredentials } from '../../src/aws/container-credentials.ts'

type Handler = (request: IncomingMessage, response: ServerResponse) => void

let server: Server
let handler: Handler
let asked: number
let uri: string
const limits = { attemptMs: 150, pauseMs: 1 }
const never = new AbortController().signal
const good = JSON.stringify({
  AccessKeyId: 'ASIATESTCONTAINER000',
  SecretAccessKey: 'container-secret-planted',
  Token: 'container-token-planted',
  Expiration: '2030-01-02T03:04:05Z',
})

beforeEach(async () => {
  asked = 0
  server = createServer((request, response) => {
    asked += 1
    handler(request, response)
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  uri = `http://127.0.0.1:${(server.address() as AddressInfo).port}/role?of=task`
})
afterEach(() => {
  server.closeAllConnections()
  server.close()
})

function ask(env: Readonly<Record<string, string>> = {}, signal = never) {
  return containerCredentials({ AWS_CONTAINER_CREDENTIALS_FULL_URI: uri, ...env }, signal, limits)
}

const says =
  (status: number, body: string): Handler =>
  (_, response) => {
    response.writeHead(status).end(body)
  }
const drips: Handler = (_, response) => {
  response.writeHead(200)
  const timer = setInterval(() => response.write(' '), 20)
  response.on('close', () => clearInterval(timer))
}

describe('an endpoint that gives no credentials ends in a sentence', () => {
  test.each<[string, Handler, RegExp, number]>([
    ['that never answers', () => undefined, /no whole answer within 0.15 s \(asked 3 times\)/, 3],
    ['that drips its answer', drips, /no whole answer within 0.15 s/, 3],
    ['that hangs up', (request) => request.socket.destroy(), /cannot be reached \(ECONNRESET\)/, 3],
    ['that speaks no JSON', says(200, '<html>planted</html>'), /^its answer is no JSON$/, 1],
    ['that answers with a word of JSON', says(200, '"planted"'), /^its answer is no JSON$/, 1],
    [
      'that leaves out the secret',
      says(200, '{"AccessKeyId":"planted"}'),
      /lacks AccessKeyId, /,
      1,
    ],
    ['that floods', says(200, ' '.repeat(100_000)), /longer than 64 KiB/, 3],
    ['that knows no such role', says(404, 'planted'), /^it answered with status 404$/, 1],
    ['that refuses', says(403, '{"Message":"planted"}'), /^it answered with status 403$/, 1],
    ['that is broken', says(500, 'planted'), /^it answered with status 500$/, 3],
    ['that is busy', says(429, 'planted'), /^it answered with status 429$/, 3],
  ])('%s', async (_, given, message, times) => {
    handler = given
    const error = await ask().catch((caught: Error) => caught)
    expect(error).toMatchObject({ name: 'CredentialsProviderError' })
    expect((error as Error).message).toMatch(message)
    expect((error as Error).message).not.toContain('planted')
    expect(asked).toBe(times)
  })

  test('a port where nothing listens', async () => {
    await new Promise((done) => server.close(done))
    await expect(ask()).rejects.toThrow(/cannot be reached \(ECONNREFUSED\)/)
  })

  test.each([
    ['http://10.1.2.3/role', /10\.1\.2\.3 is refused: it must be https/],
    ['ftp://127.0.0.1/role', /is refused/],
    ['nonsense', /the address is no URL/],
  ])('an address that may not be asked: %s', async (address, message) => {
    await expect(ask({ AWS_CONTAINER_CREDENTIALS_FULL_URI: address })).rejects.toThrow(message)
  })

  test('a token file that is not there', async () => {
    const env = { AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: '/nonexistent/token' }
    await expect(ask(env)).rejects.toThrow(/token file \/nonexistent\/token .*\(ENOENT\)/)
  })
})

test('the second attempt may succeed', async () => {
  handler = (request, response) => says(asked === 1 ? 503 : 200, good)(request, response)
  expect(await ask()).toMatchObject({
    accessKeyId: 'ASIATESTCONTAINER000',
    expiration: new Date('2030-01-02T03:04:05Z'),
  })
})

test('the token of the environment or of its file is sent, and the query of the address kept', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'container-token-'))
  await writeFile(join(folder, 'token'), 'from-the-file\n')
  const seen: unknown[] = []
  handler = (request, response) => {
    seen.push([request.url, request.headers.authorization])
    says(200, good)(request, response)
  }
  await ask({ AWS_CONTAINER_AUTHORIZATION_TOKEN: 'from-the-environment' })
  await ask({ AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: join(folder, 'token') })
  await rm(folder, { recursive: true })
  expect(seen).toEqual([
    ['/role?of=task', 'from-the-environment'],
    ['/role?of=task', 'from-the-file'],
  ])
})

test('the signal ends a wait at once, and nothing is asked again', async () => {
  handler = () => undefined
  const stop = new AbortController()
  server.once('request', () => stop.abort())
  await expect(ask({}, stop.signal)).rejects.toMatchObject({ name: 'AbortError' })
  expect(asked).toBe(1)
})
