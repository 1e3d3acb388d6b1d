/** A control plane that answers what the test says: for faults that a true ECR cannot be brought to. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

export type ScriptedAnswer = {
  readonly status?: number
  readonly type?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body: string
}

export type FakeControlPlane = {
  readonly url: string
  /** What comes next, for every request. */
  answer: ScriptedAnswer
  readonly requests: { readonly target: string; readonly body: string }[]
  close(): Promise<void>
}

export async function startFakeControlPlane(): Promise<FakeControlPlane> {
  const requests: FakeControlPlane['requests'] = []
  const fake = { answer: { body: '{}' } as ScriptedAnswer, requests }
  const server = createServer(async (request, response) => {
    let body = ''
    for await (const part of request) body += part
    requests.push({ target: String(request.headers['x-amz-target'] ?? ''), body })
    const { status = 200, type = 'application/x-amz-json-1.1', headers = {} } = fake.answer
    response.writeHead(status, { 'content-type': type, ...headers }).end(fake.answer.body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return Object.assign(fake, {
    url: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  })
}

/** An error as ECR writes it. */
export function errorAnswer(name: string, message: string, status = 400): ScriptedAnswer {
  return { status, body: JSON.stringify({ __type: name, message }) }
}
