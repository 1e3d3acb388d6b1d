import { expect, test } from 'vitest'
import { redact } from '../../src/terminal/redact.ts'

const key = 'AKIAIOSFODNN7EXAMPLE'
const secret = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY'

test.each([
  ['an access key id keeps its first four letters', `key ${key}`, 'key AKIA…'],
  [
    'a secret key beside its name',
    `aws_secret_access_key = ${secret}`,
    'aws_secret_access_key = …',
  ],
  ['userinfo of a URL', 'https://u:p@host/x', 'https://…@host/x'],
  ['a basic header', 'Authorization: Basic QVdTOmFiY2Q=', 'Authorization: …'],
  ['a bearer token in running text', 'sent Bearer abcdefghij.klm', 'sent Bearer …'],
  ['a JWT', 'got eyJhbGciOiJI.eyJzdWIiOiIx.abc_-1', 'got …'],
  ['the password of ECR', `got eyJwYXlsb2Fk${'Ab1+/='.repeat(20)}`, 'got …'],
  ['a session token', 'IQoJb3JpZ2luX2VjEXAMPLE1234', '…'],
  ['a JSON token', '{"access_token":"abc","a":1}', '{"access_token":"…","a":1}'],
  [
    'every query value but the harmless',
    '/b?X-Amz-Signature=1f&n=5&code=9',
    '/b?X-Amz-Signature=…&n=5&code=…',
  ],
  ['a PEM block', '-----BEGIN PRIVATE KEY-----\nMII\n-----END PRIVATE KEY-----', '…'],
  ['a digest, which stays', `sha256:${'a'.repeat(64)}`, `sha256:${'a'.repeat(64)}`],
  ['an ordinary sentence, which stays', 'is the tag right? a=b', 'is the tag right? a=b'],
])('%s', (_, text, expected) => expect(redact(text)).toBe(expected))
