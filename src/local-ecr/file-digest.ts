/** The digest of bytes that are too many for memory. */
import { createHash } from 'node:crypto'

export async function digestOfFile(bytes: AsyncIterable<Uint8Array>): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of bytes) hash.update(chunk)
  return `sha256:${hash.digest('hex')}`
}
