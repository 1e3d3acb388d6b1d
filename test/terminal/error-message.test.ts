import { expect, test } from 'vitest'
import { SregistryError } from '../../src/errors/sregistry-error.ts'
import { formatError, formatErrorJson, formatStack } from '../../src/terminal/error-message.ts'
import { terminalStyle } from '../../src/terminal/terminal-style.ts'

const style = terminalStyle({}, {})

const notFound = new SregistryError('NAME_UNKNOWN', 'repository "library/busyboxx" is not there', {
  hint: 'did you mean library/busybox?',
  cause: new SregistryError('REGISTRY_ERROR', 'HTTP 404 from GET /v2/library/busyboxx'),
})

test('an error says what happened, what to do and why', () => {
  expect(formatError(notFound, style)).toBe(
    [
      'error NAME_UNKNOWN: repository "library/busyboxx" is not there',
      '  hint: did you mean library/busybox?',
      '  cause: HTTP 404 from GET /v2/library/busyboxx',
    ].join('\n'),
  )
})

test('is told in ASCII where the terminal has no more', () => {
  const error = new SregistryError('USAGE', 'the registry’s key AKIA…', { hint: 'sha256:…' })
  expect(formatError(error, style)).toBe(
    "error USAGE: the registry's key AKIA...\n  hint: sha256:...",
  )
  const unicode = terminalStyle({}, { LANG: 'C.UTF-8' })
  expect(formatError(error, unicode)).toContain('registry’s key AKIA…')
})

test('a cause that says the same again is left to the stack', () => {
  const cause = new SregistryError('NAME_UNKNOWN', 'there is no repository x on y: NAME_UNKNOWN')
  const error = new SregistryError('NAME_UNKNOWN', 'there is no repository x on y (region z)', {
    cause,
  })
  expect(formatError(error, style)).toBe(
    'error NAME_UNKNOWN: there is no repository x on y (region z)',
  )
  expect(formatStack(error)).toContain('x on y: NAME_UNKNOWN')
})

test('of a foreign cause only its code is shown, as its message may hold a signed URL', () => {
  const cause = Object.assign(new Error('GET https://s3/x?X-Amz-Signature=abc'), {
    code: 'ECONNRESET',
  })
  expect(formatError(new SregistryError('NETWORK', 'the line broke', { cause }), style)).toBe(
    'error NETWORK: the line broke\n  cause: ECONNRESET',
  )
})

test('an error of no class of ours is a bug: stack, and where to report it', () => {
  const text = formatError(new TypeError('x is not a function'), style)
  expect(text).toContain('error INTERNAL: TypeError: x is not a function\n    at ')
  expect(text).toContain('please report it')
})

test('control characters in a message are shown, not obeyed', () => {
  const hostile = new SregistryError('MANIFEST_UNKNOWN', 'no tag v1\u001b[2J')
  expect(formatError(hostile, style)).toBe('error MANIFEST_UNKNOWN: no tag v1\\u001b[2J')
})

test('secrets are taken out of messages, stacks and JSON', () => {
  const leak = new SregistryError('NETWORK', 'GET https://u:hunter2@h/x?sig=topsecret&n=1 failed')
  for (const text of [formatError(leak, style), formatStack(leak), formatErrorJson(leak)]) {
    expect(text).not.toMatch(/hunter2|topsecret/)
    expect(text).toContain('n=1')
  }
})

test('the stack names every cause once, even in a circle', () => {
  const inner = new Error('inner')
  const outer = new Error('outer', { cause: inner })
  inner.cause = outer
  expect(formatStack(outer).match(/caused by/g)).toHaveLength(1)
})

test('as JSON an error has code, message and hint', () => {
  expect(JSON.parse(formatErrorJson(notFound))).toEqual({
    error: {
      code: 'NAME_UNKNOWN',
      message: 'repository "library/busyboxx" is not there',
      hint: 'did you mean library/busybox?',
    },
  })
})
