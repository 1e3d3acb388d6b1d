import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    pool: 'forks',
    // vitest leaves one core free by default; these tests wait for other programs half of their time
    maxWorkers: 2,
    // signals and keys of a real terminal meet a busy machine there; here a failure shows at once
    retry: process.env['CI'] ? 1 : 0,
  },
})
