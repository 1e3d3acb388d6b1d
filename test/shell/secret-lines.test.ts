import { describe, expect, test } from 'vitest'
import { holdsSecret } from '../../src/shell/secret-lines.ts'

const secretKey = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY'

describe('must not be stored', () => {
  test.each([
    ['an access key id', 'key = "AKIAIOSFODNN7EXAMPLE"'],
    ['a temporary one', 'x("ASIAIOSFODNN7EXAMPLE")'],
    ['a secret key on its own', `const k = '${secretKey}'`],
    ['a session token', "t = 'IQoJb3JpZ2luX2VjEJr//////////wEaCXVzLWVhc3QtMSJHMEU'"],
    ['a JSON web token', "x = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.abc'"],
    ['a password option', "client.use({ password: 'hunter2' })"],
    ['a quoted key', `x = { "secretAccessKey": "abc" }`],
    ['a token', "let token = 'abcdef'"],
    ['a template', 'const apiKey = `abc`'],
    ['an environment assignment', "process.env.SREGISTRY_AWS_SECRET = 'x'"],
    ['an indexed environment assignment', "process.env['AWS_SESSION_TOKEN'] = 'x'"],
    ['a call with the name', "setEnv('SREGISTRY_AWS_SECRET', 'x')"],
    ['a shell command', '!AWS_SECRET_ACCESS_KEY=abc aws ecr get-login-password'],
    ['an export', '!export TOKEN=abc'],
    ['.use with a key', '.use aws key=abc'],
    ['.use with a secret', '.use secret=abc region=eu-west-1'],
    ['a URL with userinfo', "fetch('https://user:pass@registry.example/v2/')"],
    ['a login token', "'AWS:eyJwYXlsb2FkIjoi'"],
    ['the password of ECR', `p = 'eyJwYXlsb2FkIjoi${'Ab1+'.repeat(20)}'`],
    ['a login token in base64', "'QVdTOmV5SndZWGxzYjJGa0lqb2k='"],
    ['a header', "fetch(u, { headers: { authorization: 'Basic abcdefgh' } })"],
    ['a bearer', "h = 'Bearer abcdefghijkl'"],
    ['a presigned URL', "fetch('https://s3.example/x?X-Amz-Signature=0a1b')"],
    ['a CloudFront URL', "u = 'https://d.example/x?Key-Pair-Id=K1&Signature=abc'"],
    ['a PEM block', 'k = `-----BEGIN PRIVATE KEY-----\nMIIE`'],
    ['a flag', '!docker login --password hunter2 host'],
    ['a key of the environment', "process.env.SREGISTRY_AWS_KEY = 'abc'"],
    ['a key as a setting', "client.use({ region: 'eu-west-1', key: 'abc' })"],
    ['a flag of another name', '!x --aws-secret-access-key=abc'],
    ['a short flag of a log-in', '!docker login -u AWS -phunter2 host'],
    ['a password from a pipe', '!echo hunter2 | docker login --password-stdin host'],
    ['a user and password of curl', '!curl -u user:pass https://host'],
    ['credentials of skopeo', '!skopeo copy --src-creds user:pass docker://a/b dir:c'],
    ['a configuration of aws', '!aws configure set aws_secret_access_key abc'],
    ['a header of curl', '!curl -H "X-Api-Key: abcdef" https://host'],
    ['userinfo without a scheme', "client.pull('user:pass@registry.example/a/b')"],
    ['a presigned URL of Google', "u = 'https://storage.example/x?X-Goog-Signature=abc'"],
    ['a token in a query', "u = 'https://host/x?access_token=abc'"],
    ['a token of GitHub', "x('ghp_abcdefghijklmnopqrstuvwxyz0123456789')"],
    ['a token of Docker Hub', "x('dckr_pat_abcdefghijklmnopqrstuvwx')"],
    ['a key of NVIDIA', "x('nvapi-abcdefghijklmnopqrstuvwxyz')"],
    ['a short name', "let pw = 'hunter2'"],
    ['a short key', "x = { pass: 'hunter2' }"],
    ['the code of a device', "mfa = '123456'"],
    ['another assignment', "process.env.SREGISTRY_NVIDIA_TOKEN ??= 'abc'"],
    ['a remark before the value', "client.use({ secret: /* mine */ 'x' })"],
    ['a value in brackets', 'password = (("x"))'],
    ['a value on the next line', "client.use({\n  secret:\n    'x',\n})"],
    ['a value in a call', "secret = String('hunter2')"],
    ['JSON in a text', 'JSON.parse("{\\"password\\":\\"abc\\"}")'],
    ['a setter', "x.setPassword('abc')"],
    ['any line of many', `for (const x of y) {\n  use({ secret: 'abc' })\n}`],
  ])('%s', (_, line) => expect(holdsSecret(line)).toBe(true))
})

describe('may be stored', () => {
  test.each([
    "image = client.pull('library/busybox:latest')",
    'client.token()',
    "client.policy('pull')",
    "client.pull('secret-project/app')",
    `client.pull('library/busybox@sha256:${'a1'.repeat(32)}')`,
    "client.use({ region: 'eu-west-1', profile: 'lab' })",
    '.use aws region=eu-west-1',
    'tokens.filter((token) => token.length > 3)',
    'if (token === "") retry()',
    'for (const key of Object.keys(image)) print(key)',
    "client.manifest('123456789012.dkr.ecr.us-east-1.amazonaws.com/a/b')",
    '/a/very/long/path/that/has/more/than/forty/characters/in/it/indeed.js',
    "client.search('a=b')",
    '.load tour.js',
    'x = password',
    "compass = 'n'; passed = 'yes'; otpauth = 'x'",
    `client.pull('library/busybox:1.36@sha256:${'a1'.repeat(32)}')`,
    "tokens = text.split(' ')",
    "client.pull('library/busybox', { platform: 'linux/arm64' })",
    '!ssh user@host ls',
    '!docker login --help',
    '!curl -u user https://host/a:b',
    "client.tags('team/token-server')",
    "labels.map(([key, value]) => ({ key: 'x', value }))",
    'delete process.env.AWS_SECRET_ACCESS_KEY',
  ])('%s', (line) => expect(holdsSecret(line)).toBe(false))
})

test('a long paste is looked through in no time', () => {
  const startedAt = performance.now()
  for (const part of [
    'a',
    'a:',
    'secret=/**/',
    '--token-',
    "'x-",
    ' -u',
    'https://a',
    '(',
    'AKIA',
  ]) {
    holdsSecret(part.repeat(20_000 / part.length))
  }
  expect(performance.now() - startedAt).toBeLessThan(5000)
})
