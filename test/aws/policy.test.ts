import { describe, expect, test } from 'vitest'
import {
  crossAccountPolicy,
  hostsToAllow,
  identityPolicy,
  type PolicyDocument,
  policyKinds,
} from '../../src/aws/policy.ts'

const target = { account: '123456789012', region: 'us-east-1', repository: 'library/*' }

function actionsOn(policy: PolicyDocument, resource: string): readonly string[] {
  return policy.Statement.filter(({ Resource }) => Resource === resource).flatMap(
    ({ Action }) => Action,
  )
}

describe('the least that is needed', () => {
  test('pull is three actions, two of them on the repository alone', () => {
    expect(identityPolicy('pull', target)).toEqual({
      Version: '2012-10-17',
      Statement: [
        { Sid: 'Token', Effect: 'Allow', Action: ['ecr:GetAuthorizationToken'], Resource: '*' },
        {
          Sid: 'Pull',
          Effect: 'Allow',
          Action: ['ecr:BatchGetImage', 'ecr:GetDownloadUrlForLayer'],
          Resource: 'arn:aws:ecr:us-east-1:123456789012:repository/library/*',
        },
      ],
    })
  })

  test('browse lists the whole registry, and describes what was asked for', () => {
    const policy = identityPolicy('browse', target)
    const all = 'arn:aws:ecr:us-east-1:123456789012:repository/*'
    expect(actionsOn(policy, all)).toEqual(['ecr:DescribeRepositories'])
    expect(actionsOn(policy, '*')).toEqual(['ecr:GetAuthorizationToken', 'ecr:DescribeRegistry'])
    const asked = 'arn:aws:ecr:us-east-1:123456789012:repository/library/*'
    expect(actionsOn(policy, asked)).toContain('ecr:DescribeImages')
  })

  test('push uploads, create makes; neither may delete, none is a wildcard', () => {
    const arn = 'arn:aws:ecr:us-east-1:123456789012:repository/library/*'
    expect(actionsOn(identityPolicy('push', target), arn)).toContain('ecr:PutImage')
    expect(actionsOn(identityPolicy('create', target), arn)).toContain('ecr:CreateRepository')
    for (const kind of policyKinds) {
      const actions = identityPolicy(kind, target).Statement.flatMap(({ Action }) => Action)
      expect(actions.filter((action) => /\*|Delete/.test(action))).toEqual([])
    }
  })

  test('the partition follows the region', () => {
    const policy = identityPolicy('pull', { account: '1', region: 'cn-north-1' })
    expect(actionsOn(policy, 'arn:aws-cn:ecr:cn-north-1:1:repository/*')).not.toEqual([])
  })
})

describe("the repository's own policy", () => {
  test('names accounts by their root, identities as they are, and no resource', () => {
    const role = 'arn:aws:iam::210987654321:role/puller'
    expect(crossAccountPolicy('us-east-1', ['210987654321', role]).Statement).toEqual([
      {
        Sid: 'CrossAccountPull',
        Effect: 'Allow',
        Principal: { AWS: ['arn:aws:iam::210987654321:root', role] },
        Action: ['ecr:BatchGetImage', 'ecr:GetDownloadUrlForLayer'],
      },
    ])
  })

  test.each(['*', '12345', 'arn:aws:s3:::bucket', ''])('refuses %j as a principal', (reader) => {
    expect(() => crossAccountPolicy('us-east-1', [reader])).toThrow(
      expect.objectContaining({ code: 'USAGE' }) as Error,
    )
  })
})

test('the hosts for a firewall have the storage of the layers among them', () => {
  const hosts = hostsToAllow('1.dkr.ecr.us-east-1.amazonaws.com', 'api.ecr', 'us-east-1')
  expect(hosts).toContain('prod-us-east-1-starport-layer-bucket.s3.us-east-1.amazonaws.com')
  expect(hosts).toContain('sts.us-east-1.amazonaws.com')
})
