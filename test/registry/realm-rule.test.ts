import { expect, test } from 'vitest'
import { checkRealm } from '../../src/registry/realm-rule.ts'
import { nextHop } from '../../src/registry/redirect.ts'

test.each([
  ['https://auth.docker.io/token', 'https://registry-1.docker.io/', true],
  ['https://quay.io/v2/auth', 'https://quay.io/', true],
  ['https://gitlab.com/jwt/auth', 'https://registry.gitlab.com/', true],
  ['https://authn.nvidia.com/token', 'https://nvcr.io/', true],
  ['http://localhost:5001/token', 'http://localhost:5000/', true],
  ['https://evil.org/token', 'https://quay.io/', false],
  ['https://auth.docker.io/token', 'https://quay.io/', false],
  ['https://evil.co.uk/token', 'https://good.co.uk/', false],
  ['https://203.0.113.7/token', 'https://203.0.113.8/', false],
])('%s named by %s: credentials %s', (realm, registry, may) => {
  expect(checkRealm(realm, new URL(registry)).mayHaveCredentials).toBe(may)
})

test.each([
  ['http://quay.io/token', 'https://quay.io/'],
  ['https://u:p@quay.io/token', 'https://quay.io/'],
  ['https://quay.io/token#x', 'https://quay.io/'],
  ['https://127.0.0.1/token', 'https://quay.io/'],
  ['https://2130706433/token', 'https://quay.io/'],
  ['https://[::ffff:10.0.0.1]/token', 'https://quay.io/'],
  ['https://169.254.169.254/latest', 'https://quay.io/'],
  ['https://[fe80::1]/token', 'https://quay.io/'],
  ['https://localhost/token', 'https://quay.io/'],
  ['file:///etc/passwd', 'https://quay.io/'],
  ['My Realm', 'https://quay.io/'],
])('%s named by %s is refused', (realm, registry) => {
  expect(() => checkRealm(realm, new URL(registry))).toThrow(
    expect.objectContaining({ code: 'PROTOCOL_ERROR' }),
  )
})

const registry = new URL('https://quay.io/')

test.each([
  ['http://cdn.quay.io/x'],
  ['https://169.254.169.254/latest/meta-data'],
  ['https://10.0.0.1/x'],
  ['https://[::1]/x'],
  ['https://0x7f000001/x'],
  ['https://u@cdn.quay.io/x'],
  ['data:text/plain,x'],
])('a redirect of a public registry to %s is refused', (location) => {
  expect(() => nextHop(registry, location, registry)).toThrow('sent a redirect that')
})

test('a redirect may be relative, and go to any public host', () => {
  expect(nextHop(new URL('https://quay.io/v2/a'), '../b', registry).href).toBe('https://quay.io/b')
  expect(nextHop(registry, 'https://s3.amazonaws.com/x?s=1', registry).host).toBe(
    's3.amazonaws.com',
  )
})

test('a private registry may redirect within its network', () => {
  const inside = new URL('https://10.0.0.1/')
  expect(nextHop(inside, 'https://10.0.0.2/x', inside).host).toBe('10.0.0.2')
})
