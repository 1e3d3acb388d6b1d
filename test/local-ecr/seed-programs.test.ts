import { mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { shellEntries, toolEntries } from '../../src/local-ecr/seed-programs.ts'

const directory = mkdtempSync(join(tmpdir(), 'seed-programs-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))
const machine = { platform: 'linux', programDirectories: [directory] } as const

test('another system than Linux has no programs for an image', () => {
  expect(() => shellEntries({ ...machine, platform: 'darwin' })).toThrow(
    expect.objectContaining({
      code: 'UNSUPPORTED',
      message: 'the seed is made of Linux programs; this is darwin',
    }),
  )
})

test('a machine without a shell that is a program cannot seed', () => {
  writeFileSync(join(directory, 'sh'), '#!/usr/bin/python3\n')
  expect(() => shellEntries(machine)).toThrow(
    expect.objectContaining({
      code: 'UNSUPPORTED',
      message: 'the seed needs a shell: no ELF program /bin/sh here',
    }),
  )
  rmSync(join(directory, 'sh'))
})

const shell = realpathSync('/bin/sh')

test('without busybox the tools make the root, and a program of two names is there once', () => {
  symlinkSync(shell, join(directory, 'sh'))
  symlinkSync(shell, join(directory, 'bash'))
  const entries = shellEntries(machine)
  const paths = toolEntries(machine).map(({ path }) => path)
  expect(entries.map(({ path }) => path)).toEqual(paths)
  expect(entries.filter(({ path }) => path.startsWith('bin/'))).toMatchObject([
    { type: 'file', path: 'bin/sh', mode: 0o755 },
    { type: 'symlink', path: 'bin/bash', target: 'sh' },
  ])
  expect(entries.length).toBeGreaterThan(2)
})
