/**
 * The least that IAM must allow, as JSON to paste: for pulling, browsing, pushing and creating, and
 * the repository's own policy for accounts other than the owner's.
 * @see REGISTRY § 1.4
 */
import { SregistryError } from '../errors/sregistry-error.ts'
import { partitionOf, repositoryArn } from './partition.ts'

export const policyKinds = ['pull', 'browse', 'push', 'create'] as const
export type PolicyKind = (typeof policyKinds)[number]

type PolicyStatement = {
  readonly Sid: string
  readonly Effect: 'Allow'
  readonly Principal?: { readonly AWS: readonly string[] }
  readonly Action: readonly string[]
  readonly Resource?: string
}
export type PolicyDocument = {
  readonly Version: '2012-10-17'
  readonly Statement: readonly PolicyStatement[]
}

export type PolicyTarget = {
  readonly account: string
  readonly region: string
  /** A name, or a pattern with `*`. Default: `*`, every repository of the registry. */
  readonly repository?: string
}

const pullActions = ['ecr:BatchGetImage', 'ecr:GetDownloadUrlForLayer'] as const
/** Whether the cross-account policy grants it. */
export function isPullAction(action: string): boolean {
  return pullActions.some((one) => one === action)
}

/** What the first pull through a cache needs beside a pull's own rights, as one statement. */
export function pullThroughStatement(target: {
  readonly region: string
  readonly account?: string
  readonly repository: string
}): string {
  const { region, account, repository } = target
  return JSON.stringify({
    Effect: 'Allow',
    Action: ['ecr:BatchImportUpstreamImage', 'ecr:CreateRepository'],
    Resource: account === undefined ? '*' : repositoryArn(region, account, repository),
  })
}

const pushActions = [
  'ecr:BatchCheckLayerAvailability',
  'ecr:InitiateLayerUpload',
  'ecr:UploadLayerPart',
  'ecr:CompleteLayerUpload',
  'ecr:PutImage',
] as const
const browseActions = [
  'ecr:ListImages',
  'ecr:DescribeImages',
  'ecr:DescribeImageScanFindings',
  'ecr:ListImageReferrers',
  'ecr:GetRepositoryPolicy',
] as const

const repositoryActions: Readonly<Record<PolicyKind, readonly string[]>> = {
  pull: pullActions,
  browse: [...pullActions, ...browseActions],
  push: [...pullActions, ...pushActions],
  create: ['ecr:CreateRepository', 'ecr:TagResource'],
}

/** For the identity (user or role) that shall do it. */
export function identityPolicy(kind: PolicyKind, target: PolicyTarget): PolicyDocument {
  const arn = repositoryArn(target.region, target.account, target.repository ?? '*')
  return {
    Version: '2012-10-17',
    Statement: [
      // GetAuthorizationToken and DescribeRegistry take no resource but "*".
      ...(kind === 'create' ? [] : [statement('Token', ['ecr:GetAuthorizationToken'], '*')]),
      ...(kind === 'browse' ? registryStatements(target) : []),
      statement(sidOf(kind), repositoryActions[kind], arn),
    ],
  }
}

// A list without names asks about all repositories: a narrower resource would refuse it.
function registryStatements({ region, account }: PolicyTarget): readonly PolicyStatement[] {
  return [
    statement('Registry', ['ecr:DescribeRegistry'], '*'),
    statement('List', ['ecr:DescribeRepositories'], repositoryArn(region, account, '*')),
  ]
}

function statement(sid: string, actions: readonly string[], resource: string): PolicyStatement {
  return { Sid: sid, Effect: 'Allow', Action: [...actions], Resource: resource }
}

function sidOf(kind: PolicyKind): string {
  return kind.charAt(0).toUpperCase() + kind.slice(1)
}

/**
 * For the repository itself (`aws ecr set-repository-policy`): lets identities of other accounts pull.
 * They need `identityPolicy('pull')` on their own side too.
 * @param readers Account ids, or ARNs of users and roles.
 * @throws {SregistryError} USAGE when one is neither.
 */
export function crossAccountPolicy(region: string, readers: readonly string[]): PolicyDocument {
  return {
    Version: '2012-10-17',
    Statement: [
      {
        Sid: 'CrossAccountPull',
        Effect: 'Allow',
        Principal: { AWS: readers.map((reader) => principalArn(region, reader)) },
        Action: [...pullActions],
      },
    ],
  }
}

function principalArn(region: string, reader: string): string {
  if (/^\d{12}$/.test(reader)) return `arn:${partitionOf(region).id}:iam::${reader}:root`
  if (/^arn:aws[a-z-]*:(iam|sts)::\d{12}:\S+$/.test(reader)) return reader
  throw new SregistryError('USAGE', `${JSON.stringify(reader)} is no account and no ARN`, {
    hint: 'give twelve digits, or arn:aws:iam::ACCOUNT:role/NAME',
  })
}

/** Hosts that a firewall must let through for a pull from this registry. */
export function hostsToAllow(registryHost: string, controlHost: string, region: string): string[] {
  const { dnsSuffix } = partitionOf(region)
  return [
    controlHost,
    registryHost,
    `prod-${region}-starport-layer-bucket.s3.${region}.${dnsSuffix}`,
    `sts.${region}.${dnsSuffix}`,
  ]
}
