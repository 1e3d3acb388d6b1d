/** The one call of STS that clients make here: GetCallerIdentity (query protocol, XML). */
import { randomUUID } from 'node:crypto'
import type { Account } from './account.ts'
import { ApiError } from './api-error.ts'
import type { Principal } from './principal.ts'
import { type Reply, textReply } from './reply.ts'

const namespace = 'https://sts.amazonaws.com/doc/2011-06-15/'

/** @throws {ApiError} InvalidAction for any other action. */
export function answerSts(action: string, principal: Principal, account: Account): Reply {
  if (action !== 'GetCallerIdentity') {
    throw new ApiError('InvalidAction', `Could not find operation ${action} for version 2011-06-15`)
  }
  const result =
    `<Arn>${principal.arn}</Arn><UserId>${principal.accessKeyId}</UserId>` +
    `<Account>${account.accountId}</Account>`
  return xmlReply(
    200,
    `<GetCallerIdentityResponse xmlns="${namespace}"><GetCallerIdentityResult>${result}</GetCallerIdentityResult>` +
      `<ResponseMetadata><RequestId>${randomUUID()}</RequestId></ResponseMetadata></GetCallerIdentityResponse>`,
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
    code === 'InvalidAction' ? 400 : 403,
    `<ErrorResponse xmlns="${namespace}"><Error><Type>Sender</Type><Code>${code}</Code>` +
      `<Message>${message}</Message></Error><RequestId>${randomUUID()}</RequestId></ErrorResponse>`,
  )
}

function xmlReply(status: number, xml: string): Reply {
  return textReply(status, 'text/xml', xml, { 'x-amzn-requestid': randomUUID() })
}
