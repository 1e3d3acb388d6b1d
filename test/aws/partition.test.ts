import { ECRClient } from '@aws-sdk/client-ecr'
import { afterAll, describe, expect, test } from 'vitest'
import {
  controlPlaneHost,
  partitionOf,
  registryHostOf,
  repositoryArn,
} from '../../src/aws/partition.ts'
import { parseEcrHost } from '../../src/registry/ecr-host.ts'

const regions = [
  'us-east-1',
  'eu-central-2',
  'us-gov-west-1',
  'cn-north-1',
  'us-iso-east-1',
  'us-isob-east-1',
  'eu-isoe-west-1',
  'us-isof-south-1',
  'eusc-de-east-1',
]
const variants = [
  { fips: false, dualStack: false },
  { fips: true, dualStack: false },
  { fips: false, dualStack: true },
  { fips: true, dualStack: true },
]

describe('hosts are those of the SDK and of the registry client', () => {
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] = 'true'
  const client = new ECRClient({ region: 'us-east-1' })
  afterAll(() => client.destroy())
  const cases = regions.flatMap((region) => variants.map((variant) => ({ region, ...variant })))

  test.each(cases)('control plane: $region fips $fips dual-stack $dualStack', (one) => {
    const { region, fips, dualStack } = one
    const parameters = { Region: region, UseFIPS: fips, UseDualStack: dualStack }
    const expected = client.config.endpointProvider(parameters, {}).url.host
    expect(controlPlaneHost(region, one)).toBe(expected)
  })

  test.each(cases)('data plane: $region fips $fips dual-stack $dualStack', (one) => {
    const host = registryHostOf('123456789012', one.region, one)
    expect(parseEcrHost(host)).toMatchObject({
      account: '123456789012',
      region: one.region,
      fips: one.fips,
      partition: partitionOf(one.region).id,
    })
  })
})

test.each([
  ['us-east-1', 'arn:aws:ecr:us-east-1:1:repository/a/b'],
  ['cn-north-1', 'arn:aws-cn:ecr:cn-north-1:1:repository/a/b'],
  ['us-gov-east-1', 'arn:aws-us-gov:ecr:us-gov-east-1:1:repository/a/b'],
  ['mars-north-1', 'arn:aws:ecr:mars-north-1:1:repository/a/b'],
])('the ARN of a repository in %s', (region, arn) => {
  expect(repositoryArn(region, '1', 'a/b')).toBe(arn)
})
