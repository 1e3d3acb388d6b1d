/** An emulator over a directory that goes away with it, and the requests that tests make of it. */
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { ECRClient, type ECRClientConfig, GetAuthorizationTokenCommand } from '@aws-sdk/client-ecr'
import {
  type LocalEcr,
  type LocalEcrOptions,
  startLocalEcr,
} from '../../src/local-ecr/local-ecr.ts'
import type { Principal } from '../../src/local-ecr/principal.ts'

process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] = 'true'

export type TemporaryEcr = {
  readonly ecr: LocalEcr
  readonly root: string
  readonly client: ECRClient
  /** A new SDK client, by default with the emulator's own user. */
  newClient(config?: ECRClientConfig): ECRClient
  /** The Authorization header of a token that is fetched anew. */
  authorization(): Promise<string>
  /** A request to the data plane with a token; redirects are not followed. */
  fetch(path: string, init?: RequestInit): Promise<Response>
  /** Variables for the `aws` command, which then reads no file of the user. */
  awsEnvironment(principal?: Principal): NodeJS.ProcessEnv
  close(): Promise<void>
}

export async function startTemporaryEcr(
  options: Partial<LocalEcrOptions> = {},
): Promise<TemporaryEcr> {
  const root = await mkdtemp(join(tmpdir(), 'local-ecr-'))
  const ecr = await startLocalEcr({ root, ...options })
  const newClient = (config: ECRClientConfig = {}) =>
    new ECRClient({
      region: ecr.region,
      endpoint: ecr.apiUrl,
      credentials: ecr.user,
      maxAttempts: 1,
      ...config,
    })
  const client = newClient()
  const authorization = async () => {
    const { authorizationData } = await client.send(new GetAuthorizationTokenCommand({}))
    return `Basic ${authorizationData?.[0]?.authorizationToken}`
  }
  return {
    ecr,
    root,
    client,
    newClient,
    authorization,
    fetch: async (path, init = {}) => {
      const headers = { authorization: await authorization(), ...init.headers }
      const url = path.startsWith('http') ? path : `http://${ecr.registryHost}${path}`
      return fetch(url, { redirect: 'manual', ...init, headers })
    },
    awsEnvironment: (principal = ecr.user) => ({
      PATH: process.env['PATH'],
      HOME: root,
      AWS_ACCESS_KEY_ID: principal.accessKeyId,
      AWS_SECRET_ACCESS_KEY: principal.secretAccessKey,
      ...(principal.sessionToken && { AWS_SESSION_TOKEN: principal.sessionToken }),
      AWS_DEFAULT_REGION: ecr.region,
      AWS_EC2_METADATA_DISABLED: 'true',
      AWS_MAX_ATTEMPTS: '1',
    }),
    close: async () => {
      client.destroy()
      await ecr.close()
      await rm(root, { recursive: true, force: true })
    },
  }
}

export const run = promisify(execFile)

/** Name of the error that a promise rejects with; fails when it does not. */
export async function nameOfError(promise: Promise<unknown>): Promise<string> {
  return (await errorOf(promise)).name
}

export async function errorOf(promise: Promise<unknown>): Promise<Error> {
  const outcome = await promise.then(
    () => undefined,
    (error: Error) => error,
  )
  if (outcome === undefined) throw new Error('it was expected to fail')
  return outcome
}

/** Location of a blob in the blob storage. */
export async function blobUrl(local: TemporaryEcr, name: string, digest: string): Promise<string> {
  const response = await local.fetch(`/v2/${name}/blobs/${digest}`)
  const location = response.headers.get('location')
  if (location === null) throw new Error(`no redirect: ${response.status}`)
  return location
}

type Manifest = {
  readonly layers: readonly { digest: string; size: number }[]
  readonly config: { digest: string; size: number }
}

export async function manifestOf(
  local: TemporaryEcr,
  name: string,
  tag: string,
): Promise<Manifest> {
  return (await (await local.fetch(`/v2/${name}/manifests/${tag}`)).json()) as Manifest
}

/** Digest of the top layer of library/busybox, a small one. */
export async function smallLayer(local: TemporaryEcr): Promise<{ digest: string; size: number }> {
  const layer = (await manifestOf(local, 'library/busybox', 'latest')).layers.at(-1)
  if (layer === undefined) throw new Error('the seed has no layer')
  return layer
}
