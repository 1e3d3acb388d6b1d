import { expect, test } from 'vitest'
import { formatBanner } from '../../src/terminal/banner.ts'

test('the banner names the client and the database', () => {
  const database = 'sqlite:////home/u/.singularity/sregistry.db'
  expect(formatBanner({ client: 'aws', database })).toBe(`[client|aws] [database|${database}]`)
})

test('a disabled database is left out', () => {
  expect(formatBanner({ client: 'docker', database: undefined })).toBe('[client|docker]')
})
