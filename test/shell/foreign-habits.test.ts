import { describe, expect, test } from 'vitest'
import { isProgramOnPath, meantByCall, meantByLine } from '../../src/shell/foreign-habits.ts'

const isProgram = (name: string): boolean => ['ls', 'docker', 'rm', 'git', 'whoami'].includes(name)

describe('a whole line', () => {
  test.each([
    ['help client.pull', '.help client.pull'],
    ['pull library/busybox', "client.pull('library/busybox')"],
    ['client.pull library/busybox:1.36', "client.pull('library/busybox:1.36')"],
    ['sregistry pull --force aws://library/busybox', "client.pull('aws://library/busybox')"],
    ['docker pull busybox', "client.pull('busybox')"],
    ['singularity pull docker://busybox;', "client.pull('docker://busybox')"],
    ['images', 'client.images()'],
    ['whoami', 'client.whoami()'],
    ['whoami --version', '!whoami --version'],
    ['sregistry create team/new', "client.createRepository('team/new')"],
    ['ls', '!ls'],
    ['ls -l /tmp', '!ls -l /tmp'],
    ['docker run -it busybox', '!docker run -it busybox'],
    ['rm a.simg', '!rm a.simg'],
    ['cd /data', "process.chdir('/data')"],
    ['history', '.history'],
    ['use docker', '.use docker'],
    ['load tour.js', '.load tour.js'],
    ['json', '.json on'],
    ['time off', '.time off'],
    ['cls', '.clear'],
    ['%run tour.js', '.load tour.js'],
    ["%time client.tags('x')", '.time on'],
    ['%hist pull', '.history pull'],
    ['%ls -l', '!ls -l'],
    ['%cd /data', "process.chdir('/data')"],
    ['export SREGISTRY_AWS_ZONE=eu-west-1', '.use SREGISTRY_AWS_ZONE=eu-west-1'],
  ])('%s', (line, meant) => {
    expect(meantByLine(line, isProgram)).toBe(meant)
  })

  test.each([
    ['x = pull'],
    ['imags'],
    ['run tour.js'],
    ['history = 3'],
    ['%nothing'],
    ['ls = 3'],
    ['git.clone(x)'],
    ['pull("x"'],
    ['let let'],
    [''],
  ])('%s is left alone', (line) => {
    expect(meantByLine(line, isProgram)).toBeUndefined()
  })
})

describe('a call', () => {
  test.each([
    ['client.pull(library/busybox)', 13, "client.pull('library/busybox')"],
    ['image = client.pull(busybox:1.36)', 28, "client.pull('busybox:1.36')"],
    ['client.whoami(now)', 15, undefined],
    [
      "client.pull('library/busybox', force=True)",
      38,
      "client.pull('library/busybox', { force: true })",
    ],
    [
      "client.pull('x', force=True, name='y.sif')",
      24,
      "client.pull('x', { force: true, name: 'y.sif' })",
    ],
    ['x = None', 5, 'undefined'],
    ['x = y', 5, undefined],
  ])('%s at column %i', (text, column, meant) => {
    expect(meantByCall({ text, column })).toBe(meant)
  })
})

test('programs are those that can be run', () => {
  expect(isProgramOnPath('sh')).toBe(true)
  expect(isProgramOnPath('no-such-program')).toBe(false)
  expect(isProgramOnPath('../bin/sh')).toBe(false)
})
