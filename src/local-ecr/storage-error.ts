/** Errors of the blob storage, in S3's XML. */
import { randomUUID } from 'node:crypto'
import { type Reply, textReply } from './reply.ts'

export function storageErrorReply(
  status: number,
  code: string,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): Reply {
  const requestId = randomUUID()
  const body =
    '<?xml version="1.0" encoding="UTF-8"?>\n' +
    `<Error><Code>${code}</Code><Message>${message}</Message><RequestId>${requestId}</RequestId></Error>`
  return textReply(status, 'application/xml', body, { 'x-amz-request-id': requestId, ...headers })
}
