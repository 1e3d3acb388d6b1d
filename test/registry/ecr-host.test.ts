import { expect, test } from 'vitest'
import { isEcrPublicHost, parseEcrHost } from '../../src/registry/ecr-host.ts'

const standard = {
  account: '692517157806',
  region: 'us-east-1',
  partition: 'aws',
  fips: false,
  dualStack: false,
}

test.each([
  ['692517157806.dkr.ecr.us-east-1.amazonaws.com', {}],
  ['692517157806.DKR.ECR.us-east-1.amazonaws.com', {}],
  ['692517157806.dkr.ecr-fips.us-east-1.amazonaws.com', { fips: true }],
  ['692517157806.dkr-ecr.us-east-1.on.aws', { dualStack: true }],
  ['692517157806.dkr-ecr-fips.us-east-1.on.aws', { dualStack: true, fips: true }],
  [
    '692517157806.dkr.ecr.cn-north-1.amazonaws.com.cn',
    { region: 'cn-north-1', partition: 'aws-cn' },
  ],
  [
    '692517157806.dkr.ecr.us-gov-west-1.amazonaws.com',
    { region: 'us-gov-west-1', partition: 'aws-us-gov' },
  ],
  [
    '692517157806.dkr.ecr.eusc-de-east-1.amazonaws.eu',
    { region: 'eusc-de-east-1', partition: 'aws-eusc' },
  ],
  [
    '692517157806.dkr.ecr.us-iso-east-1.c2s.ic.gov',
    { region: 'us-iso-east-1', partition: 'aws-iso' },
  ],
  [
    '692517157806.dkr.ecr.us-isob-east-1.sc2s.sgov.gov',
    { region: 'us-isob-east-1', partition: 'aws-iso-b' },
  ],
])('%s is an ECR registry', (host, more) => {
  expect(parseEcrHost(host)).toEqual({ ...standard, ...more })
})

test.each([
  ['692517157806.dkr.ecr.us-east-1.amazonaws.com.evil.org'],
  ['evil.692517157806.dkr.ecr.us-east-1.amazonaws.com'],
  ['69251715780.dkr.ecr.us-east-1.amazonaws.com'],
  ['692517157806.dkr.ecr.us-east-1.amazonaws.com:443'],
  ['692517157806.dkr.ecr.us.east.amazonaws.com'],
  ['692517157806.dkr.ecr.us-east-1.constructor'],
  ['public.ecr.aws'],
])('%s is none', (host) => {
  expect(parseEcrHost(host)).toBeUndefined()
})

test('ECR Public is known by name', () => {
  expect(isEcrPublicHost('public.ecr.aws')).toBe(true)
  expect(isEcrPublicHost('public.ecr.aws.evil.org')).toBe(false)
})
