/** An answer as data, so that faults can change it before it is written. */

/** A part of a file that is streamed as the body. */
export type FileSlice = {
  readonly path: string
  readonly offset: number
  readonly sizeBytes: number
}

export type Reply = {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array | FileSlice
}

export function isFileSlice(body: Reply['body']): body is FileSlice {
  return !(body instanceof Uint8Array)
}

export function bodySize(body: Reply['body']): number {
  return isFileSlice(body) ? body.sizeBytes : body.byteLength
}

export function textReply(
  status: number,
  contentType: string,
  text: string,
  headers: Readonly<Record<string, string>> = {},
): Reply {
  return { status, headers: { 'content-type': contentType, ...headers }, body: Buffer.from(text) }
}

export function emptyReply(status: number, headers: Readonly<Record<string, string>> = {}): Reply {
  return { status, headers, body: new Uint8Array() }
}
