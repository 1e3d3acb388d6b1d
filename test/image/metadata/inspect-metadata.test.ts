import { expect, test } from 'vitest'
import { inspectMetadataJson, ociConfigJson } from '../../../src/image/metadata/inspect-metadata.ts'
import { configOf } from './config-of.ts'

test('inspect-metadata.json has the form that runtimes read', () => {
  const config = configOf({ Env: ['A=1'], Cmd: ['sh'], Labels: { maintainer: 'me' } })
  const document = JSON.parse(inspectMetadataJson(config, { reference: 'a/b:c', version: '1' }))
  expect(document.type).toBe('container')
  const { attributes } = document.data
  expect(Object.keys(attributes)).toEqual([
    'labels',
    'deffile',
    'runscript',
    'startscript',
    'environment',
  ])
  expect(attributes.labels).toMatchObject({ maintainer: 'me' })
  expect(attributes.deffile).toBe('bootstrap: docker\nfrom: a/b:c')
  expect(attributes.runscript).toMatch(/^#!\/bin\/sh\n[\s\S]*exec "\$@"$/)
  expect(attributes.startscript).toBe('#!/bin/sh')
  expect(Object.keys(attributes.environment)).toEqual([
    '/.singularity.d/env/10-docker2singularity.sh',
    '/.singularity.d/env/90-environment.sh',
  ])
  expect(attributes.environment['/.singularity.d/env/10-docker2singularity.sh']).toBe(
    `#!/bin/sh\n[ -n "\${A:-}" ] || A='1'\nexport A`,
  )
})

test.each([
  [
    'the config object and nothing beside it',
    '{"os":"linux","config":{"Cmd":["a"],"User":"1"}}',
    '{"Cmd":["a"],"User":"1"}',
  ],
  ['{} for a null config', '{"config":null}', '{}'],
  ['{} without a config', '{}', '{}'],
])('oci-config.json is %s', (_, bytes, expected) => {
  expect(ociConfigJson(Buffer.from(bytes))).toBe(expected)
})
