/**
 * The host in a reference decides where a token is asked for and what the request is signed for, in
 * every partition and variant. A proxy leads AWS's own names to an ECR that checks the signature.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { AwsClient } from '../../src/client/aws-client.ts'
import { ClientContext } from '../../src/client/client-context.ts'
import { startLocalEcr } from '../../src/local-ecr/local-ecr.ts'
import { loadSettings } from '../../src/settings/settings.ts'
import { makePrivateAuthority, type PrivateAuthority } from '../fakes/certificate.ts'
import { type ForwardProxy, startForwardProxy } from '../fakes/forward-proxy.ts'
import { hasTool } from '../fakes/tools.ts'

const account = '123456789012'
const rows = [
  ['standard', 'eu-west-1', 'dkr.ecr.eu-west-1.amazonaws.com', 'api.ecr.eu-west-1.amazonaws.com'],
  [
    'FIPS',
    'us-east-2',
    'dkr.ecr-fips.us-east-2.amazonaws.com',
    'api.ecr-fips.us-east-2.amazonaws.com',
  ],
  ['dual-stack', 'eu-west-1', 'dkr-ecr.eu-west-1.on.aws', 'ecr.eu-west-1.api.aws'],
  ['both', 'us-east-2', 'dkr-ecr-fips.us-east-2.on.aws', 'ecr-fips.us-east-2.api.aws'],
  [
    'China',
    'cn-north-1',
    'dkr.ecr.cn-north-1.amazonaws.com.cn',
    'api.ecr.cn-north-1.amazonaws.com.cn',
  ],
  [
    'GovCloud',
    'us-gov-west-1',
    'dkr.ecr.us-gov-west-1.amazonaws.com',
    'api.ecr.us-gov-west-1.amazonaws.com',
  ],
] as const

describe.skipIf(!hasTool('openssl'))('a host in the reference', () => {
  let work: string
  let authority: PrivateAuthority
  let proxy: ForwardProxy
  beforeAll(async () => {
    work = await mkdtemp(join(tmpdir(), 'partitions-'))
    const names = rows.flatMap(([, , data, api]) => [`${account}.${data}`, api])
    authority = makePrivateAuthority(work, names)
    proxy = await startForwardProxy()
  })
  afterAll(async () => {
    proxy.close()
    await rm(work, { recursive: true, force: true })
  })

  test.each(rows)('%s: signed for %s', async (name, region, data, api) => {
    const host = `${account}.${data}`
    const ecr = await startLocalEcr({
      root: join(work, name),
      region,
      tls: authority,
      extraHosts: [host, api],
    })
    proxy.asked.splice(0)
    proxy.ports.set(api, Number(new URL(ecr.apiUrl).port))
    proxy.ports.set(host, Number(new URL(`https://${ecr.registryHost}`).port))
    const env = {
      AWS_REGION: 'ap-south-1',
      SREGISTRY_AWS_KEY: ecr.user.accessKeyId,
      SREGISTRY_AWS_SECRET: ecr.user.secretAccessKey,
      HTTPS_PROXY: proxy.url,
      AWS_CA_BUNDLE: authority.bundle,
    }
    const settings = loadSettings({ env, home: work })
    const client = new AwsClient(new ClientContext({ settings, env }))
    // a registry without repositories: that it says so shows that token and signature were taken
    await expect(client.manifest(`${host}/team/none`)).rejects.toMatchObject({
      code: 'NAME_UNKNOWN',
      message: expect.stringContaining(`on ${host} (region ${region}, account ${account})`),
    })
    await client.close()
    await ecr.close()
    expect(proxy.asked.slice(0, 2)).toEqual([`CONNECT ${api}`, `CONNECT ${host}`])
  })
})
