/** A container's credential endpoint that takes the connection and never answers, seen by a user. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer as createHttpServer, type ServerResponse } from 'node:http'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runProgram, startProgram } from '../fakes/program.ts'

let home: string
let silent: Server
let env: Readonly<Record<string, string>>
const sockets = new Set<Socket>()

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'container-endpoint-'))
  silent = createServer((socket) => sockets.add(socket))
  await new Promise<void>((done) => silent.listen(0, '127.0.0.1', done))
  const { port } = silent.address() as AddressInfo
  env = {
    HOME: home,
    AWS_REGION: 'us-east-1',
    SREGISTRY_AWS_ID: '123456789012',
    AWS_CONTAINER_CREDENTIALS_FULL_URI: `http://127.0.0.1:${port}/role`,
  }
})
afterAll(async () => {
  for (const socket of sockets) socket.destroy()
  silent.close()
  await rm(home, { recursive: true, force: true })
})

test.concurrent.each([
  ['whoami', ['whoami']],
  ['doctor', ['doctor']],
  ['a pull', ['pull', 'aws://library/busybox:1']],
])('%s ends with our diagnosis, and no word of the SDK', { timeout: 30_000 }, async (_, args) => {
  const startedAt = performance.now()
  const { exitCode, stdout, stderr } = await runProgram(args, { env })
  expect(performance.now() - startedAt).toBeLessThan(15_000)
  expect(exitCode).toBe(1)
  const text = stdout + stderr
  expect(text).toMatch(
    /credential endpoint \(AWS_CONTAINER_CREDENTIALS_FULL_URI\) gave none: 127\.0\.0\.1:\d+ gave no whole answer within 2 s \(asked 3 times\)\n {2}hint: inside the container: is its task role set/,
  )
  expect(text).not.toMatch(/smithy|aws-sdk|Warning|WARN/)
})

describe('an endpoint that falls silent after its first answer, with a role to take', () => {
  const key = {
    AccessKeyId: 'ASIATESTCONTAINER000',
    SecretAccessKey: 'container-secret-planted',
    Token: 'container-token-planted',
    Expiration: '2099-01-02T03:04:05Z',
  }
  const rest: readonly (readonly [string, (response: ServerResponse) => void])[] = [
    ['says nothing', () => undefined],
    ['stops in mid-answer', (response) => response.writeHead(200).write('{"AccessKeyId":')],
  ]
  test.concurrent.each(rest)('and %s', { timeout: 30_000 }, async (_, later) => {
    let asked = 0
    const server = createHttpServer((__, response) => {
      asked += 1
      if (asked === 1) response.end(JSON.stringify(key))
      else later(response)
    })
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
    const { port } = server.address() as AddressInfo
    const config = join(home, `config-${port}`)
    const role = 'role_arn = arn:aws:iam::210987654321:role/puller'
    await writeFile(config, `[profile puller]\n${role}\ncredential_source = EcsContainer\n`)
    const startedAt = performance.now()
    const { exitCode, stdout, stderr } = await runProgram(['whoami'], {
      env: {
        ...env,
        AWS_PROFILE: 'puller',
        AWS_CONFIG_FILE: config,
        AWS_CONTAINER_CREDENTIALS_FULL_URI: `http://127.0.0.1:${port}/role`,
      },
    })
    server.closeAllConnections()
    server.close()
    expect(asked).toBeGreaterThan(1)
    expect(performance.now() - startedAt).toBeLessThan(15_000)
    expect(exitCode).toBe(1)
    expect(stdout + stderr).toMatch(/127\.0\.0\.1:\d+ gave no whole answer within 2 s/)
    expect(stdout + stderr).not.toMatch(/smithy|aws-sdk|Warning|WARN|planted/)
  })
})

test('Ctrl-C ends the wait', { timeout: 30_000 }, async () => {
  const asked = new Promise((resolve) => silent.once('connection', resolve))
  const { child, ended } = startProgram(['whoami'], { env })
  await asked
  const stoppedAt = performance.now()
  child.kill('SIGINT')
  const { exitCode, stderr } = await ended
  expect(exitCode).toBe(130)
  expect(stderr).toMatch(/^error CANCELLED: looking for AWS credentials was cancelled/)
  expect(performance.now() - stoppedAt).toBeLessThan(1000) // the machine may be busy: 20 ms alone
})
