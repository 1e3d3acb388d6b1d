/**
 * The AWS services that credentials come from, on loopback: STS, the SSO portal, a container's
 * credential endpoint and EC2 instance metadata. Each gives one key that a local ECR knows.
 */
import { createServer, type IncomingMessage, type RequestListener } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'

export type GivenKey = {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken: string
  readonly expiration: string
}

export type FakeAws = {
  readonly url: string
  /** `STS AssumeRole`, `SSO`, `container`, `IMDS /latest/…`: what was asked, oldest first. */
  readonly asked: string[]
  /** What the next calls of STS say instead of a key. */
  stsError: { readonly code: string; readonly message: string } | undefined
  close(): Promise<void>
}

type Answer = { readonly status?: number; readonly type: string; readonly body: string }

/** @param tls A certificate: then it speaks https. */
export async function startFakeAws(
  key: GivenKey,
  tls?: { readonly cert: string; readonly key: string },
): Promise<FakeAws> {
  const fake: { asked: string[]; stsError: FakeAws['stsError'] } = {
    asked: [],
    stsError: undefined,
  }
  const listener: RequestListener = (request, response) => {
    bodyOf(request)
      .then((body) => answer(request, body, key, fake))
      .then(({ status = 200, type, body }) => {
        response.writeHead(status, { 'content-type': type }).end(body)
      })
      .catch((error: unknown) => response.destroy(error as Error))
  }
  const server = tls === undefined ? createServer(listener) : createTlsServer(tls, listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return Object.assign(fake, {
    url: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  })
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let body = ''
  for await (const part of request) body += part
  return body
}

function answer(
  request: IncomingMessage,
  body: string,
  key: GivenKey,
  fake: { asked: string[]; stsError: FakeAws['stsError'] },
): Answer {
  const path = new URL(request.url ?? '/', 'http://fake').pathname
  if (path.startsWith('/latest/')) return instanceMetadata(path, key, fake.asked)
  if (path === '/federation/credentials') {
    fake.asked.push('SSO')
    const expiration = Date.parse(key.expiration)
    return json({ roleCredentials: { ...key, expiration } })
  }
  if (path === '/token') {
    fake.asked.push('OIDC')
    return json({ accessToken: 'renewed-planted', expiresIn: 3600, tokenType: 'Bearer' })
  }
  if (path === '/container') {
    fake.asked.push('container')
    return json({
      AccessKeyId: key.accessKeyId,
      SecretAccessKey: key.secretAccessKey,
      Token: key.sessionToken,
      Expiration: key.expiration,
    })
  }
  if (path === '/container-refused') return { ...json({ message: 'no role' }), status: 403 }
  return securityTokens(new URLSearchParams(body), key, fake)
}

function json(value: unknown): Answer {
  return { type: 'application/json', body: JSON.stringify(value) }
}

function instanceMetadata(path: string, key: GivenKey, asked: string[]): Answer {
  asked.push(`IMDS ${path}`)
  if (path === '/latest/api/token') return { type: 'text/plain', body: 'imds-token' }
  if (path.endsWith('/security-credentials/')) return { type: 'text/plain', body: 'instance-role' }
  return json({
    Code: 'Success',
    AccessKeyId: key.accessKeyId,
    SecretAccessKey: key.secretAccessKey,
    Token: key.sessionToken,
    Expiration: key.expiration,
  })
}

const namespace = 'https://sts.amazonaws.com/doc/2011-06-15/'

function securityTokens(
  form: URLSearchParams,
  key: GivenKey,
  fake: { asked: string[]; stsError: FakeAws['stsError'] },
): Answer {
  const action = form.get('Action') ?? ''
  const code = form.get('TokenCode')
  fake.asked.push(`STS ${action}${code === null ? '' : ` with code ${code}`}`)
  if (fake.stsError !== undefined) {
    const { code, message } = fake.stsError
    const body = `<ErrorResponse xmlns="${namespace}"><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error><RequestId>r</RequestId></ErrorResponse>`
    return { status: 403, type: 'text/xml', body }
  }
  const credentials = `<Credentials><AccessKeyId>${key.accessKeyId}</AccessKeyId><SecretAccessKey>${key.secretAccessKey}</SecretAccessKey><SessionToken>${key.sessionToken}</SessionToken><Expiration>${key.expiration}</Expiration></Credentials>`
  const user =
    '<AssumedRoleUser><AssumedRoleId>AROA:s</AssumedRoleId><Arn>arn:aws:sts::210987654321:assumed-role/puller/s</Arn></AssumedRoleUser>'
  return {
    type: 'text/xml',
    body: `<${action}Response xmlns="${namespace}"><${action}Result>${credentials}${user}</${action}Result><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></${action}Response>`,
  }
}
