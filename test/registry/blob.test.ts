import { createHash } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { SregistryError } from '../../src/errors/sregistry-error.ts'
import type { Descriptor } from '../../src/registry/descriptor.ts'
import { createRegistryClient, type RegistryClient } from '../../src/registry/registry-client.ts'
import { createTransport, type Transport } from '../../src/registry/transport.ts'
import {
  closeDelimited,
  FaultServer,
  finishAfter,
  ranged,
  rawAnswer,
  redirectTo,
  registryFault,
  reply,
  resetAfter,
  type Step,
  stallAfter,
  status,
} from '../fakes/fault-server.ts'
import { TestClock } from '../fakes/test-clock.ts'
import { blobPath, descriptorOf, gzipLayerType, noise } from './image-fixture.ts'

let registry: FaultServer
let store: FaultServer
let transport: Transport
let clock: TestClock
let client: RegistryClient
let logIns: number

describe.each([
  ['by Node’s http', {}],
  ['by undici', { maxDirectBytes: 0 }],
])('%s', (_, limits) => {
  beforeEach(async () => {
    registry = await FaultServer.start()
    store = await FaultServer.start('localhost')
    transport = createTransport({ env: {}, limits })
    clock = new TestClock()
    client = newClient()
    logIns = 0
  })

  afterEach(async () => {
    client.close()
    await transport.close()
    await registry[Symbol.asyncDispose]()
    await store[Symbol.asyncDispose]()
  })

  function newClient(): RegistryClient {
    return createRegistryClient({
      host: registry.host,
      transport,
      clock,
      random: () => 1,
      sendsBasicFirst: true,
      credentials: async () => {
        logIns += 1
        return { kind: 'basic-token', token: 'c2VjcmV0', from: 'the test' }
      },
    })
  }

  const bytes = noise(3_000_000)
  const path = blobPath('app', bytes)
  const descriptor = descriptorOf(bytes)

  async function read(wanted: Descriptor = descriptor): Promise<Buffer> {
    const chunks: Uint8Array[] = []
    for await (const chunk of client.openBlob('app', wanted)) chunks.push(chunk)
    return Buffer.concat(chunks)
  }

  async function failure(wanted: Descriptor = descriptor): Promise<SregistryError> {
    return read(wanted).then(
      () => Promise.reject(new Error('the blob was accepted')),
      (error: SregistryError) => error,
    )
  }

  function sha(data: Uint8Array): string {
    return createHash('sha256').update(data).digest('hex')
  }

  describe('a broken connection', () => {
    test.each([0, 1, 512, 1_500_000, 2_999_999])(
      'N1: a reset after %i bytes is resumed there',
      async (count) => {
        registry.on(path, resetAfter(bytes, count), ranged(bytes))
        expect(sha(await read())).toBe(descriptor.digest.hex)
        expect(registry.seen).toHaveLength(2)
        const range = registry.seen[1]?.headers.range
        // what the kernel had not delivered when the reset came is asked for again
        if (count > 512) expect(range).toMatch(/^bytes=\d+-$/)
        if (range !== undefined) expect(Number(range.slice(6, -1))).toBeLessThanOrEqual(count)
      },
    )

    test('N2: an early end under Content-Length is resumed', async () => {
      registry.on(path, finishAfter(bytes, 1_000_000), ranged(bytes))
      expect(sha(await read())).toBe(descriptor.digest.hex)
      expect(registry.seen[1]?.headers.range).toBe('bytes=1000000-')
    })

    test('N3: a body without a length that ends early is not taken for whole', async () => {
      registry.on(path, closeDelimited(bytes.subarray(0, 50_000)), ranged(bytes))
      expect(sha(await read())).toBe(descriptor.digest.hex)
      expect(registry.seen[1]?.headers.range).toBe('bytes=50000-')
    })

    test('without progress it ends after five tries, saying how far it came', async () => {
      registry.on(path, closeDelimited(bytes.subarray(0, 50_000)), closeDelimited(new Uint8Array()))
      const error = await failure()
      expect(error.code).toBe('SIZE_MISMATCH')
      expect(error.message).toContain('50000 of 3000000 bytes came, after 5 tries')
      expect(registry.seen).toHaveLength(5)
    })

    test('with progress the tries are counted anew', async () => {
      const part = finishAfter(bytes, 1_100_000)
      registry.on(path, part, part, finishAfter(bytes, 100_000), ranged(bytes))
      expect(sha(await read())).toBe(descriptor.digest.hex)
      expect(clock.sleeps).toEqual([500, 500, 1000])
    })
  })

  describe('wrong sizes and digests', () => {
    test('N4: more bytes than the descriptor says end the download', async () => {
      registry.on(path, closeDelimited(Buffer.concat([bytes, noise(100_000)])))
      expect(await failure()).toMatchObject({ code: 'SIZE_MISMATCH' })
      expect(registry.seen).toHaveLength(1)
    })

    test('N5: another Content-Length is refused before the body, after one retry', async () => {
      registry.on(path, reply(bytes.subarray(1)))
      const error = await failure()
      expect(error.code).toBe('SIZE_MISMATCH')
      expect(error.message).toContain('announces 2999999 bytes where the manifest says 3000000')
      expect(registry.seen).toHaveLength(2)
    })

    test('N6: one flipped bit is a wrong digest, told with host and both digests', async () => {
      const wrong = Buffer.from(bytes)
      wrong.writeUInt8((wrong.at(1_000_000) ?? 0) ^ 1, 1_000_000)
      registry.on(path, ranged(wrong))
      const error = await failure()
      expect(error.code).toBe('DIGEST_MISMATCH')
      expect(error.message).toContain(registry.host)
      expect(error.message).toContain(sha(wrong))
    })

    test('embedded data is used, and checked like any other bytes', async () => {
      const data = noise(100)
      expect(await read({ ...descriptorOf(data), data })).toEqual(data)
      const error = await failure({ ...descriptorOf(data), data: noise(100, 'other') })
      expect(error.code).toBe('DIGEST_MISMATCH')
      expect(registry.seen).toHaveLength(0)
    })

    test('an empty blob needs no request', async () => {
      expect(await read(descriptorOf(new Uint8Array()))).toHaveLength(0)
      expect(registry.seen).toHaveLength(0)
    })
  })

  test('N7, N8: a server that stops sending is left, and the download resumed', async () => {
    registry.on(path, stallAfter(bytes, 65_536), ranged(bytes))
    const chunks: Uint8Array[] = []
    let done = 0
    for await (const chunk of client.openBlob('app', descriptor)) {
      chunks.push(chunk)
      done += chunk.byteLength
      // a minute passes twice: 64 KiB came within the first, nothing within the second
      if (done === 65_536) {
        setImmediate(() => {
          clock.advance(61_000)
          clock.advance(61_000)
        })
      }
    }
    expect(sha(Buffer.concat(chunks))).toBe(descriptor.digest.hex)
    expect(registry.seen.at(-1)?.headers.range).toBe('bytes=65536-')
  })

  describe('redirects', () => {
    test('N13: a resume asks the registry for a new URL, and the store sees no credentials', async () => {
      registry.on(
        path,
        redirectTo(`${store.origin}/one?sig=1`),
        redirectTo(`${store.origin}/two?sig=2`),
      )
      store.on('/one', finishAfter(bytes, 700_000)).on('/two', ranged(bytes))
      expect(sha(await read())).toBe(descriptor.digest.hex)
      expect(store.paths()).toEqual(['/one?sig=1', '/two?sig=2'])
      expect(store.seen[1]?.headers.range).toBe('bytes=700000-')
      expect(store.seen.map((seen) => seen.headers.authorization)).toEqual([undefined, undefined])
      expect(registry.seen.map((seen) => seen.headers.authorization)).toEqual([
        'Basic c2VjcmV0',
        'Basic c2VjcmV0',
      ])
    })

    test('N13: an expired signed URL (403 of the store) gets a new one from the registry', async () => {
      registry.on(path, redirectTo(`${store.origin}/old`), redirectTo(`${store.origin}/new`))
      const expired =
        '<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>'
      store.on('/old', status(403, { 'content-type': 'application/xml' }, expired))
      store.on('/new', ranged(bytes))
      expect(sha(await read())).toBe(descriptor.digest.hex)
      expect(logIns).toBe(1)
      expect(registry.seen).toHaveLength(2)
    })

    test('N17: a loop ends after five hops, naming hosts and no URL', async () => {
      registry.on(path, redirectTo(`${store.origin}/loop?secret=abc`))
      store.on('/loop', redirectTo('/loop?secret=abc'))
      const error = await failure()
      expect(error.code).toBe('PROTOCOL_ERROR')
      expect(error.message).toContain(`${registry.host} → ${store.host}`)
      expect(error.message).not.toContain('secret')
      expect(store.seen).toHaveLength(5)
    })

    test.each([
      ['file:///etc/passwd'],
      ['ftp://localhost/x'],
      ['http://user:pass@localhost/x'],
      ['http://'],
    ])('N18: a redirect to %s is refused', async (location) => {
      registry.on(path, redirectTo(location))
      expect(await failure()).toMatchObject({ code: 'PROTOCOL_ERROR' })
      expect(registry.seen).toHaveLength(1)
    })

    test('N19: on its own origin the registry still gets its credentials', async () => {
      registry.on(path, redirectTo('/elsewhere', 302)).on('/elsewhere', ranged(bytes))
      expect(sha(await read())).toBe(descriptor.digest.hex)
      expect(registry.seen[1]?.headers.authorization).toBe('Basic c2VjcmV0')
    })
  })

  describe('what the store says is told in one sentence of ours, never as XML', () => {
    const xml = (code: string) =>
      `<?xml version="1.0"?><Error><Code>${code}</Code><Message>planted &amp; prose</Message></Error>`
    test.each<[number, string, string, RegExp, RegExp]>([
      [
        503,
        xml('ServiceUnavailable'),
        'REGISTRY_ERROR',
        /answered 503 \(ServiceUnavailable\) for the blob/,
        /run it again later; what is complete is kept/,
      ],
      [500, 'planted', 'REGISTRY_ERROR', /answered 500 for the blob/, /run it again later/],
      [
        503,
        xml('SlowDown'),
        'THROTTLED',
        /asks for fewer requests \(SlowDown\)/,
        /SREGISTRY_PYTHON_THREADS=1/,
      ],
      [403, xml('AccessDenied'), 'ACCESS_DENIED', /answered 403 \(AccessDenied\)/, /s3:GetObject/],
      [404, xml('NoSuchKey'), 'BLOB_UNKNOWN', /answered 404 \(NoSuchKey\)/, /push the image again/],
    ])('%i %s', async (number, body, code, message, hint) => {
      registry.on(path, redirectTo(`${store.origin}/one`))
      store.on('/one', status(number, { 'content-type': 'application/xml' }, body))
      const error = await failure()
      expect(error.code).toBe(code)
      expect(error.message).toContain(`${store.host}, where ${registry.host} keeps its layers,`)
      expect(error.message).toMatch(message)
      expect(error.message).toContain('after 5 tries')
      expect(error.message).not.toMatch(/planted|</)
      expect(error.hint).toMatch(hint)
    })
  })

  test('a registry that asks the logged in for fewer requests is not mended by another log-in', async () => {
    const tooMany = '{"errors":[{"code":"TOOMANYREQUESTS","message":"Rate exceeded"}]}'
    registry.on(path, status(429, { 'content-type': 'application/json' }, tooMany))
    const { code, hint } = await failure()
    expect(code).toBe('THROTTLED')
    expect(hint).toContain('tried again by itself')
    expect(hint).toContain('SREGISTRY_PYTHON_THREADS=1')
    expect(hint).not.toContain('logging in')
  })

  test('N20: a web page in place of a blob is called one', async () => {
    registry.on(path, reply('<html>log in</html>', { 'content-type': 'text/html' }))
    const error = await failure()
    expect(error.code).toBe('PROTOCOL_ERROR')
    expect(error.message).toContain('web page')
  })

  describe('N21: Content-Encoding', () => {
    const tar = Buffer.alloc(200_000, 'tar')
    const packed = gzipSync(tar)
    const gzip = { 'content-encoding': 'gzip' }
    const unsized: Step = (_, response) => {
      response.writeHead(200, gzip)
      response.end(packed)
    }

    test.each<[string, Buffer, string, Step]>([
      [
        'a .tar.gz labelled as coded is the blob as it is',
        packed,
        gzipLayerType,
        reply(packed, gzip),
      ],
      ['the same without a length', packed, gzipLayerType, unsized],
      [
        'a blob that a proxy packed is unpacked',
        tar,
        'application/vnd.oci.image.layer.v1.tar',
        reply(packed, gzip),
      ],
      ['the same without a length', tar, 'application/vnd.oci.image.layer.v1.tar', unsized],
      [
        'plain bytes under a gzip label are taken as they are',
        tar,
        gzipLayerType,
        reply(tar, gzip),
      ],
    ])('%s', async (_, blob, type, step) => {
      registry.on(blobPath('app', blob), step)
      expect(await read(descriptorOf(blob, type))).toEqual(blob)
      expect(registry.seen[0]?.headers['accept-encoding']).toBe('identity')
    })
  })

  describe('ranges', () => {
    test('N22: where the range is ignored, the bytes that passed are skipped', async () => {
      registry.on(path, finishAfter(bytes, 900_000), reply(bytes))
      expect(sha(await read())).toBe(descriptor.digest.hex)
    })

    test.each([
      ['starts elsewhere', { 'content-range': `bytes 5-2999999/3000000` }, 206],
      ['has another total', { 'content-range': `bytes 900000-2999999/3000001` }, 206],
      ['has no Content-Range', {}, 206],
      ['is refused', { 'content-range': 'bytes */3000000' }, 416],
    ])(
      'N23: a part that %s is never joined: the blob is read from its start',
      async (_, headers, code) => {
        const wrong = reply(bytes.subarray(900_000), headers, code)
        registry.on(path, finishAfter(bytes, 900_000), wrong, reply(bytes))
        expect(sha(await read())).toBe(descriptor.digest.hex)
        expect(registry.seen).toHaveLength(3)
        expect(registry.seen[2]?.headers.range).toBeUndefined()
      },
    )
  })

  describe('N24: what is no HTTP', () => {
    test.each([
      ['a banner', 'SSH-2.0-OpenSSH_9.2\r\n'],
      ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello'],
      ['a negative length', 'HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello'],
      ['oversized headers', `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`],
    ])('%s is a protocol error after at most one retry', async (_, text) => {
      registry.on(path, rawAnswer(text))
      expect(await failure()).toMatchObject({ code: 'PROTOCOL_ERROR' })
      expect(registry.seen.length).toBeLessThanOrEqual(2)
    })
  })

  describe('foreign layers', () => {
    const type = 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip'

    test('are read from their own place when the registry has none, without credentials', async () => {
      registry.on(path, registryFault(404, 'BLOB_UNKNOWN'))
      store.on('/layer', ranged(bytes))
      const foreign = { ...descriptor, mediaType: type, urls: [`${store.origin}/layer`] }
      expect(sha(await read(foreign))).toBe(descriptor.digest.hex)
      expect(store.seen[0]?.headers.authorization).toBeUndefined()
    })

    test('other layers are not', async () => {
      registry.on(path, registryFault(404, 'BLOB_UNKNOWN'))
      store.on('/layer', ranged(bytes))
      expect(await failure({ ...descriptor, urls: [`${store.origin}/layer`] })).toMatchObject({
        code: 'BLOB_UNKNOWN',
      })
      expect(store.seen).toHaveLength(0)
    })
  })

  test('an aborted read rejects with CANCELLED', async () => {
    registry.on(path, stallAfter(bytes, 65_536))
    const controller = new AbortController()
    const reading = async () => {
      for await (const _ of client.openBlob('app', descriptor, { signal: controller.signal })) {
        setImmediate(() => controller.abort())
      }
    }
    await expect(reading()).rejects.toMatchObject({ code: 'CANCELLED' })
  })

  test('progress counts the bytes of the blob, each once', async () => {
    registry.on(path, finishAfter(bytes, 900_000), reply(bytes))
    const seen: number[] = []
    for await (const _ of client.openBlob('app', descriptor, {
      onProgress: (done) => seen.push(done),
    }));
    expect(seen.at(-1)).toBe(bytes.length)
    expect(seen).toEqual([...seen].sort((a, b) => a - b))
  })
})
