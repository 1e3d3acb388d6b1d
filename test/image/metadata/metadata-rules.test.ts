import { expect, test } from 'vitest'
import { metadataEntries } from '../../../src/image/metadata/metadata-layer.ts'
import { metadataRule } from '../../../src/image/metadata/metadata-rules.ts'
import { configOf } from './config-of.ts'

test.each([
  ['.singularity.d', 'own-directory'],
  ['.singularity.d/libs', 'own-directory'],
  ['.singularity.d/runscript', 'replace'],
  ['.singularity.d/env/10-docker2singularity.sh', 'replace'],
  ['.singularity.d/labels.json', 'replace'],
  ['var/tmp', 'if-absent'],
  ['etc', 'if-absent'],
  ['etc/resolv.conf', 'if-absent-or-dangling'],
  ['etc/localtime', 'if-absent-or-dangling'],
  ['singularity', 'if-absent-or-symlink'],
  ['.run', 'if-absent-or-symlink'],
])('%s: %s', (path, rule) => expect(metadataRule(path)).toBe(rule))

test('only what is ours replaces what an image has', () => {
  for (const { path } of metadataEntries(configOf({}), { reference: 'a', version: '1' })) {
    const rule = metadataRule(path)
    const ours = path === '.singularity.d' || path.startsWith('.singularity.d/')
    expect([path, rule === 'replace' || rule === 'own-directory']).toEqual([path, ours])
  }
})
