/** Writes an answer to its socket, spoiling the body as the faults say. */
import { createReadStream } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setTimeout as wait } from 'node:timers/promises'
import { createGzip } from 'node:zlib'
import type { Fault } from './fault.ts'
import { bodySize, isFileSlice, type Reply } from './reply.ts'

type Bytes = AsyncIterable<Uint8Array>

/** Large reads: 64 KiB ones would make the emulator the slow end of a measured pull. */
const readBytes = 512 * 1024

/** Sends the reply; ends early, without an error, when the client goes away or a fault says so. */
export async function writeReply(
  request: IncomingMessage,
  response: ServerResponse,
  reply: Reply,
  faults: readonly Fault[],
): Promise<void> {
  const cut = find(faults, 'reset') ?? find(faults, 'truncate') ?? find(faults, 'stall')
  if (cut?.kind === 'reset' && cut.afterBytes === 0) {
    request.socket.resetAndDestroy()
    return
  }
  response.writeHead(reply.status, headersOf(response, reply, faults))
  if (request.method === 'HEAD' || bodySize(reply.body) === 0) {
    response.end()
    return
  }
  const gone = new AbortController()
  response.once('close', () => gone.abort())
  const body = spoilt(openBody(reply.body), faults, gone.signal)
  try {
    if (cut !== undefined) await sendCut(body, response, cut, gone.signal)
    else await pipeline(body instanceof Readable ? body : Readable.from(body), response)
  } catch (error) {
    if (!response.destroyed) throw error // else the client is gone: nobody is left to tell
  }
}

function find<Kind extends Fault['kind']>(
  faults: readonly Fault[],
  kind: Kind,
): Extract<Fault, { kind: Kind }> | undefined {
  return faults.find((fault): fault is Extract<Fault, { kind: Kind }> => fault.kind === kind)
}

function headersOf(
  response: ServerResponse,
  reply: Reply,
  faults: readonly Fault[],
): Record<string, string> {
  if (find(faults, 'truncate')?.hideLength) {
    response.useChunkedEncodingByDefault = false
    response.shouldKeepAlive = false
    return { ...reply.headers }
  }
  if (find(faults, 'gzip')) return { ...reply.headers, 'content-encoding': 'gzip' }
  return { 'content-length': String(bodySize(reply.body)), ...reply.headers }
}

function openBody(body: Reply['body']): Bytes {
  if (!isFileSlice(body)) return Readable.from([body])
  const { path, offset, sizeBytes } = body
  const end = offset + sizeBytes - 1
  return createReadStream(path, { start: offset, end, highWaterMark: readBytes })
}

function spoilt(body: Bytes, faults: readonly Fault[], signal: AbortSignal): Bytes {
  const wrong = find(faults, 'wrong-byte')
  const slow = find(faults, 'slow')
  let bytes = body
  if (wrong) bytes = withWrongByte(bytes, wrong.at)
  if (find(faults, 'gzip')) bytes = Readable.from(bytes).pipe(createGzip())
  if (slow) bytes = slowly(bytes, slow.bytesPerSecond, signal)
  return bytes
}

async function* withWrongByte(body: Bytes, at: number): AsyncGenerator<Uint8Array> {
  let offset = 0
  for await (const chunk of body) {
    const index = at - offset
    offset += chunk.byteLength
    if (index < 0 || index >= chunk.byteLength) {
      yield chunk
      continue
    }
    const changed = Uint8Array.from(chunk)
    changed[index] = (chunk[index] ?? 0) ^ 0xff
    yield changed
  }
}

async function* slowly(
  body: Bytes,
  bytesPerSecond: number,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const tickMs = 50
  const step = Math.max(1, Math.floor((bytesPerSecond * tickMs) / 1000))
  for await (const chunk of body) {
    for (let at = 0; at < chunk.byteLength; at += step) {
      yield chunk.subarray(at, at + step)
      await wait(tickMs, undefined, { signal })
    }
  }
}

type Cut = Extract<Fault, { kind: 'reset' | 'truncate' | 'stall' }>

async function sendCut(
  body: Bytes,
  response: ServerResponse,
  cut: Cut,
  gone: AbortSignal,
): Promise<void> {
  response.flushHeaders()
  const isCut = await sendFirst(body, response, cut.afterBytes)
  if (!isCut) response.end()
  else if (cut.kind === 'stall') await ended(gone)
  else if (cut.kind === 'reset') response.socket?.resetAndDestroy()
  else response.socket?.end()
}

/** @returns Whether there was more than this many bytes. */
async function sendFirst(body: Bytes, response: ServerResponse, count: number): Promise<boolean> {
  let left = count
  for await (const chunk of body) {
    const part = chunk.subarray(0, left)
    left -= part.byteLength
    if (part.byteLength > 0) await written(response, part)
    if (part.byteLength < chunk.byteLength) return true
  }
  return false
}

function written(response: ServerResponse, part: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    response.write(part, (error) => (error ? reject(error) : resolve()))
  })
}

function ended(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}
