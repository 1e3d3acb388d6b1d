import { type AddressInfo, createServer, type Socket } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createTransport, type Transport } from '../../src/registry/transport.ts'
import { FaultServer, reply } from '../fakes/fault-server.ts'

let server: FaultServer
let transport: Transport

beforeEach(async () => {
  server = await FaultServer.start()
  transport = createTransport({ env: {} })
})

afterEach(async () => {
  await transport.close()
  await server[Symbol.asyncDispose]()
})

const small = (url: string) => ({ method: 'GET' as const, url: new URL(url), maxBytes: 1000 })

test('the name and password of a URL are never sent', async () => {
  server.on('/x', reply('there'))
  await transport.ask(small(`http://user:secret@${server.host}/x`))
  expect(server.seen[0]?.headers).not.toHaveProperty('authorization')
})

test('a header that comes twice is joined, whatever its name', async () => {
  server.on('/x', (_, response) => {
    response.writeHead(200, ['Etag', 'a', 'Etag', 'b', 'X-Other', 'c', 'X-Other', 'd'])
    response.end()
  })
  const { headers } = await transport.ask(small(`${server.origin}/x`))
  expect(headers).toMatchObject({ etag: 'a, b', 'x-other': 'c, d' })
})

test('requests after each other share a connection, which closing ends', async () => {
  const sockets = new Set<Socket>()
  server.on('/x', (request, response) => {
    sockets.add(request.socket)
    response.end('there')
  })
  await transport.ask(small(`${server.origin}/x`))
  await transport.ask(small(`${server.origin}/x`))
  expect(sockets.size).toBe(1)
  const [socket] = sockets
  const ended = new Promise((resolve) => socket?.once('close', resolve))
  await transport.close()
  await transport.close()
  // the server itself would end it after two seconds
  await ended
}, 1000)

test('a server that never answers the greeting of TLS is given up in time', async () => {
  const sockets = new Set<Socket>()
  const silent = createServer((socket) => void sockets.add(socket)).listen(0, '127.0.0.1')
  await new Promise((resolve) => silent.once('listening', resolve))
  const { port } = silent.address() as AddressInfo
  const limited = createTransport({ env: {}, limits: { connectMs: 30 } })
  try {
    const failure = await limited.ask(small(`https://127.0.0.1:${port}/`)).catch((thrown) => thrown)
    expect(failure.error).toMatchObject({ code: 'TIMEOUT' })
    expect(failure.error.message).toContain('the connection timed out')
  } finally {
    await limited.close()
    for (const socket of sockets) socket.destroy()
    silent.close()
  }
}, 5000)
