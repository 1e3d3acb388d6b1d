/** Archives of writers we did not write: the tree on disk is what the reader must say. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import { create } from 'tar'
import { expect, test } from 'vitest'
import { hasTool } from '../../fakes/tools.ts'
import { readArchive } from './archive.ts'

type Tree = ReadonlyMap<string, string>

const component = fc.oneof(fc.stringMatching(/^[a-z]{1,12}$/), fc.stringMatching(/^[é中a]{60,80}$/))
const trees = fc.dictionary(
  fc.array(component, { minLength: 2, maxLength: 4 }).map((parts) => parts.join('/')),
  fc.string({ maxLength: 1500 }),
  { minKeys: 1, maxKeys: 6 },
)

/** Writes a tree; leaves out what would need a file to be a directory too. */
function withTree(
  files: Readonly<Record<string, string>>,
  check: (root: string, tree: Tree) => void,
) {
  const root = mkdtempSync(join(tmpdir(), 'sregistry-tar-'))
  try {
    const tree = new Map<string, string>()
    for (const [path, content] of Object.entries(files)) {
      mkdirSync(join(root, 't', dirname(path)), { recursive: true })
      writeFileSync(join(root, 't', `${path}.f`), content)
      tree.set(`${path}.f`, Buffer.from(content).toString('latin1'))
    }
    symlinkSync('é'.repeat(70), join(root, 't/link'))
    check(root, tree)
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
}

function expectTree(archive: Buffer, tree: Tree): void {
  const entries = readArchive(archive, 513)
  const found = new Map(
    entries.flatMap((entry) => (entry.kind === 'file' ? [[utf8(entry.path), entry.body]] : [])),
  )
  expect(found).toEqual(tree)
  const links = entries.flatMap((entry) => (entry.kind === 'symlink' ? [utf8(entry.target)] : []))
  expect(links).toEqual(['é'.repeat(70)])
}

function utf8(latin1: string): string {
  return Buffer.from(latin1, 'latin1').toString()
}

const maxBuffer = 2 ** 26

test.skipIf(!hasTool('tar')).each(['gnu', 'pax'])('GNU tar, format %s', (format) => {
  fc.assert(
    fc.property(trees, (files) =>
      withTree(files, (root, tree) => {
        const args = [`--format=${format}`, '-C', join(root, 't'), '-cf', '-', '.']
        expectTree(execFileSync('tar', args, { maxBuffer }), tree)
      }),
    ),
    { numRuns: 15 },
  )
})

test.skipIf(!hasTool('python3')).each(['GNU', 'PAX'])("Python's tarfile, format %s", (format) => {
  const script = `import sys,tarfile
t=tarfile.open(sys.argv[2],'w',format=tarfile.${format}_FORMAT);t.add(sys.argv[1],'.');t.close()`
  fc.assert(
    fc.property(trees, (files) =>
      withTree(files, (root, tree) => {
        execFileSync('python3', ['-c', script, join(root, 't'), join(root, 'a.tar')])
        expectTree(readFileSync(join(root, 'a.tar')), tree)
      }),
    ),
    { numRuns: 8 },
  )
})

test('npm tar', () => {
  fc.assert(
    fc.property(trees, (files) =>
      withTree(files, (root, tree) => {
        create({ sync: true, cwd: join(root, 't'), file: join(root, 'a.tar') }, ['.'])
        expectTree(readFileSync(join(root, 'a.tar')), tree)
      }),
    ),
    { numRuns: 15 },
  )
})

test
  .skipIf(!hasTool('tar'))
  .each(['--sparse-version=0.0', '--sparse-version=0.1', '--sparse-version=1.0', '--format=gnu'])(
  'GNU tar, sparse file, %s',
  (form) => {
    const root = mkdtempSync(join(tmpdir(), 'sregistry-tar-'))
    try {
      const size = 3_000_000
      execFileSync('truncate', ['-s', String(size), join(root, 's')])
      for (const at of [0, 500_000, 1_000_000, 1_500_000, 2_000_000, 2_500_000]) {
        execFileSync('dd', [`of=${root}/s`, 'conv=notrunc', 'bs=1', `seek=${at}`, 'status=none'], {
          input: `at ${at}`,
        })
      }
      const format = form.startsWith('--format') ? [form] : ['--format=pax', form]
      const archive = execFileSync('tar', ['-S', ...format, '-C', root, '-cf', '-', 's'], {
        maxBuffer,
      })
      expect(archive.length).toBeLessThan(size / 10)
      const [entry] = readArchive(archive, 513)
      expect(entry?.path).toBe('s')
      expect(entry?.body).toBe(readFileSync(join(root, 's')).toString('latin1'))
    } finally {
      rmSync(root, { recursive: true, force: true })
    }
  },
)
