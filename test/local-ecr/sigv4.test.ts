import { expect, test } from 'vitest'
import {
  formatAmzDate,
  isSignedBy,
  parseAmzDate,
  parseSignatureClaim,
} from '../../src/local-ecr/sigv4.ts'

// AWS Signature Version 4 test suite, get-vanilla
const secret = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY'
const authorization =
  'AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31'
const request = {
  method: 'GET',
  path: '/',
  headers: { host: 'example.amazonaws.com', 'x-amz-date': '20150830T123600Z' },
  body: new Uint8Array(),
}

test('the request of AWS’s own test suite is found signed by its secret', () => {
  const claim = parseSignatureClaim(authorization)
  expect(claim && isSignedBy(secret, claim, request)).toBe(true)
})

test.each([
  ['another secret', 'wrong', request],
  ['another body', secret, { ...request, body: Buffer.from('x') }],
  ['another method', secret, { ...request, method: 'POST' }],
  ['another host', secret, { ...request, headers: { ...request.headers, host: 'evil' } }],
])('with %s the signature does not hold', (_, key, changed) => {
  const claim = parseSignatureClaim(authorization)
  expect(claim && isSignedBy(key, claim, changed)).toBe(false)
})

test.each([
  ['Basic QVdTOng='],
  ['AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request'],
  ['AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE, SignedHeaders=host, Signature=00'],
])('"%s" is no complete claim', (text) => {
  expect(parseSignatureClaim(text)).toBeUndefined()
})

test('dates go to and from the form that signatures use', () => {
  const time = Date.UTC(2026, 1, 3, 4, 5, 6)
  expect(formatAmzDate(time)).toBe('20260203T040506Z')
  expect(parseAmzDate('20260203T040506Z')).toBe(time)
})
