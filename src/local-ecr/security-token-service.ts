/** The calls of STS that clients make here, GetCallerIdentity and AssumeRole (query protocol, XML). */
import { randomUUID } from 'node:crypto'
import { ApiError } from './api-error.ts'
import { assumeRole, type Principal } from './principal.ts'
import type { RegistryState } from './registry-state.ts'
import { type Reply, textReply } from './reply.ts'

const namespace = 'https://sts.amazonaws.com/doc/2011-06-15/'

type StsCall = {
  readonly input: URLSearchParams
  readonly principal: Principal
  readonly state: RegistryState
}

/** @throws {ApiError} InvalidAction for any other action. */
export function answerSts(action: string, call: StsCall): Reply {
  if (action === 'GetCallerIdentity') return resultReply(action, callerIdentity(call))
  if (action === 'AssumeRole') return resultReply(action, roleCredentials(call))
  throw new ApiError('InvalidAction', `Could not find operation ${action} for version 2011-06-15`)
}

function callerIdentity({ principal, state }: StsCall): string {
  const { arn, accessKeyId } = principal
  return `<Arn>${arn}</Arn><UserId>${accessKeyId}</UserId><Account>${state.account.accountId}</Account>`
}

/** Every role may be taken by everybody; where an MFA device is named, with any six digits. */
function roleCredentials({ input, state }: StsCall): string {
  const [, accountId, role] =
    /^arn:[\w-]+:iam::(\d{12}):role\/([\w+=,.@/-]+)$/.exec(input.get('RoleArn') ?? '') ?? []
  const session = input.get('RoleSessionName') ?? ''
  const seconds = Number(input.get('DurationSeconds') ?? 3600)
  const isSound = role !== undefined && /^[\w+=,.@-]{2,64}$/.test(session)
  if (!isSound || !(seconds >= 900 && seconds <= 43_200)) {
    throw new ApiError(
      'ValidationError',
      'RoleArn, RoleSessionName or DurationSeconds is not valid',
    )
  }
  if (input.has('SerialNumber') && !/^\d{6}$/.test(input.get('TokenCode') ?? '')) {
    throw new ApiError(
      'AccessDenied',
      'MultiFactorAuthentication failed with invalid MFA one time pass code. ',
    )
  }
  const name = `${role.split('/').at(-1)}/${session}`
  const expiresAtMs = state.nowMs() + seconds * 1000
  const taken = assumeRole({ ...state.account, accountId: accountId ?? '' }, name, expiresAtMs)
  state.principals.set(taken.accessKeyId, taken)
  return (
    `<Credentials><AccessKeyId>${taken.accessKeyId}</AccessKeyId>` +
    `<SecretAccessKey>${taken.secretAccessKey}</SecretAccessKey>` +
    `<SessionToken>${taken.sessionToken}</SessionToken>` +
    `<Expiration>${new Date(expiresAtMs).toISOString()}</Expiration></Credentials>` +
    `<AssumedRoleUser><AssumedRoleId>${taken.accessKeyId}:${session}</AssumedRoleId>` +
    `<Arn>${taken.arn}</Arn></AssumedRoleUser>`
  )
}

function resultReply(action: string, result: string): Reply {
  return xmlReply(
    200,
    `<${action}Response xmlns="${namespace}"><${action}Result>${result}</${action}Result>` +
      `<ResponseMetadata><RequestId>${randomUUID()}</RequestId></ResponseMetadata></${action}Response>`,
  )
}

/** STS names these faults otherwise than the JSON services do. */
const stsNames: Readonly<Record<string, string>> = {
  UnrecognizedClientException: 'InvalidClientTokenId',
  InvalidSignatureException: 'SignatureDoesNotMatch',
  ExpiredTokenException: 'ExpiredToken',
  MissingAuthenticationTokenException: 'MissingAuthenticationToken',
  IncompleteSignatureException: 'IncompleteSignature',
}

export function stsErrorReply(error: ApiError): Reply {
  const code = stsNames[error.name] ?? error.name
  const message = error.message.replace(/&/g, '&amp;').replace(/</g, '&lt;')
  return xmlReply(
    ['InvalidAction', 'ValidationError'].includes(code) ? 400 : 403,
    `<ErrorResponse xmlns="${namespace}"><Error><Type>Sender</Type><Code>${code}</Code>` +
      `<Message>${message}</Message></Error><RequestId>${randomUUID()}</RequestId></ErrorResponse>`,
  )
}

function xmlReply(status: number, xml: string): Reply {
  return textReply(status, 'text/xml', xml, { 'x-amzn-requestid': randomUUID() })
}
