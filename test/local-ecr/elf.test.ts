import { readFileSync, realpathSync } from 'node:fs'
import { basename } from 'node:path'
import { describe, expect, test } from 'vitest'
import { readElf } from '../../src/local-ecr/elf.ts'
import { librariesOf } from '../../src/local-ecr/shared-libraries.ts'
import { hasTool } from '../fakes/tools.ts'
import { run } from './temporary-ecr.ts'

/** This Node: dynamically linked on every machine that runs these tests. */
const node = realpathSync(process.execPath)

test('what is no ELF file has no header to read', () => {
  for (const bytes of [Buffer.from('#!/bin/sh\n'), Buffer.alloc(200), Buffer.from('\x7fELF')]) {
    expect(readElf(bytes)).toBeUndefined()
  }
})

describe.skipIf(!hasTool('readelf'))('beside readelf', () => {
  test('the interpreter and the needed libraries are the same', async () => {
    const { stdout } = await run('readelf', ['-W', '-l', '-d', node], { maxBuffer: 1 << 24 })
    const needed = [...stdout.matchAll(/\(NEEDED\).*\[(.+)\]/g)].map((match) => match[1])
    const interpreter = /program interpreter: (.+)\]/.exec(stdout)?.[1]
    expect(readElf(readFileSync(node))).toMatchObject({ needed, interpreter })
    expect(needed.length).toBeGreaterThan(0)
  })
})

test('all libraries of a program are found, each once, in the C library’s directory', () => {
  const files = librariesOf([{ path: node, bytes: readFileSync(node) }])
  const names = files.map(({ path }) => path.slice(path.lastIndexOf('/') + 1))
  expect(new Set(names).size).toBe(names.length)
  const loader = readElf(readFileSync(node))?.interpreter
  expect(files[0]?.path).toBe(loader)
  for (const name of readElf(readFileSync(node))?.needed ?? []) expect(names).toContain(name)
})

test.each([['/bin/ls'], ['/bin/sh'], [node]])(
  'what the libraries of %s need is there too',
  (path) => {
    const files = librariesOf([{ path, bytes: readFileSync(path) }])
    const names = new Set(files.map((file) => basename(file.path)))
    const needed = files.flatMap(({ bytes }) => readElf(bytes)?.needed ?? [])
    expect(needed.filter((name) => !names.has(name))).toEqual([])
  },
)
