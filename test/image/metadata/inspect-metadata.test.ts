import { expect, test } from 'vitest'
import { inspectMetadataJson, ociConfigJson } from '../../../src/image/metadata/inspect-metadata.ts'
import { parseImageConfig } from '../../../src/registry/image-config.ts'
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
  ['the config object as it is', { User: '1', Cmd: ['a'] }, '{"User":"1","Cmd":["a"]}'],
  ['{} for a null config', null, '{}'],
  ['{} without a config', undefined, '{}'],
])('oci-config.json is %s', (_, rawConfig, expected) => {
  expect(ociConfigJson(rawConfig)).toBe(expected)
})

test('the record that registry/ makes of a config is one that the layer takes', () => {
  const document = {
    config: { Cmd: ['sh'], StopSignal: 'TERM' },
    rootfs: { type: 'layers', diff_ids: [] },
  }
  const config = parseImageConfig(Buffer.from(JSON.stringify(document)), 0, 'the config')
  expect(inspectMetadataJson(config, { reference: 'a', version: '1' })).toContain('OCI_CMD')
  expect(ociConfigJson(config.config.raw)).toBe('{"Cmd":["sh"],"StopSignal":"TERM"}')
})
