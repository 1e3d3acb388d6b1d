import { expect, test } from 'vitest'
import { nearestName } from '../../src/shell/nearest-name.ts'

const known = ['images', 'image', 'doctor', 'use', 'pull', 'tags']

test.each([
  ['imges', 'images'],
  ['docotr', 'doctor'],
  ['DOCTOR', 'doctor'],
  ['ues', 'use'],
  ['us', 'use'],
  ['pulll', 'pull'],
  ['plul', 'pull'],
  ['doc', 'doctor'],
  ['xyz', undefined],
  ['', undefined],
])('%s', (typed, near) => {
  expect(nearestName(typed, known)).toBe(near)
})

test('the beginning of two names is near neither', () => {
  expect(nearestName('re', ['repositories', 'rename'])).toBeUndefined()
  expect(nearestName('repos', ['repositories', 'rename'])).toBe('repositories')
})

test.each(['z', 'zx', 'xz'])('%s is not near a name of one letter', (typed) => {
  expect(nearestName(typed, ['_', 'x'])).toBeUndefined()
})
