import { expect, test } from 'vitest'
import { imageLabels, labelsJson } from '../../../src/image/metadata/labels.ts'
import { configOf } from './config-of.ts'

const options = { reference: 'library/busybox:1.36', version: '1.2.3', digest: 'sha256:ab' }

test('the image’s labels and those of a build, by the bytes of their names', () => {
  const labels = imageLabels(
    configOf({ Labels: { z: '1', B: '2', '10': '3', ü: '4', __proto__x: '5' } }),
    options,
  )
  expect([...labels]).toEqual([
    ['10', '3'],
    ['B', '2'],
    ['__proto__x', '5'],
    ['org.label-schema.build-arch', 'amd64'],
    ['org.label-schema.build-date', 'Thursday_29_February_2024_23:5:9_UTC'],
    ['org.label-schema.schema-version', '1.0'],
    ['org.label-schema.usage.singularity.deffile.bootstrap', 'docker'],
    ['org.label-schema.usage.singularity.deffile.from', 'library/busybox:1.36'],
    ['org.label-schema.usage.sregistry.version', '1.2.3'],
    ['org.opencontainers.image.base.digest', 'sha256:ab'],
    ['org.opencontainers.image.base.name', 'library/busybox:1.36'],
    ['z', '1'],
    ['ü', '4'],
  ])
})

test('what the image says of its base stays, what it says of this file does not', () => {
  const labels = imageLabels(
    configOf({
      Labels: {
        'org.opencontainers.image.base.name': 'debian:12',
        'org.label-schema.usage.singularity.deffile.from': 'elsewhere',
      },
    }),
    options,
  )
  expect(labels.get('org.opencontainers.image.base.name')).toBe('debian:12')
  expect(labels.get('org.label-schema.usage.singularity.deffile.from')).toBe('library/busybox:1.36')
})

test('an image without an architecture gets no label for it', () => {
  expect(
    imageLabels(configOf({}, { architecture: undefined }), options).has(
      'org.label-schema.build-arch',
    ),
  ).toBe(false)
})

test('the JSON is an object with a line per label, whatever the labels are', () => {
  const labels = new Map([
    ['__proto__', '"\\\n'],
    ['10', '</script>'],
  ])
  expect(labelsJson(labels)).toBe('{\n\t"__proto__": "\\"\\\\\\n",\n\t"10": "</script>"\n}')
  expect(labelsJson(new Map())).toBe('{}')
})
