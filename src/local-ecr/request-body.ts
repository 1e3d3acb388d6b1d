/** Request bodies that fit in memory: API calls and manifests. */
import type { IncomingMessage } from 'node:http'

/** Undefined when the body is larger than the limit. */
export async function readBody(
  request: IncomingMessage,
  limitBytes: number,
): Promise<Buffer | undefined> {
  const parts: Buffer[] = []
  let sizeBytes = 0
  // leaving the loop must not destroy the request: its answer is still to be sent
  for await (const part of request.iterator({ destroyOnReturn: false })) {
    sizeBytes += part.byteLength
    if (sizeBytes > limitBytes) return undefined
    parts.push(part)
  }
  return Buffer.concat(parts)
}
