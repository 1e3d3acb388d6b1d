import { expect, test } from 'vitest'
import { applyMetadataLayer } from '../../../src/image/tree/apply-metadata-layer.ts'
import { packedEntries } from '../indexed-contents.ts'
import { entry, listTree, mergeLayers } from './entries.ts'

const metadata = [
  'var/',
  'var/tmp/',
  'etc/',
  'etc/resolv.conf=ours',
  '.singularity.d/',
  'singularity -> .singularity.d/runscript',
  '.singularity.d/runscript=ours',
]

test.each([
  [
    'an empty image gets all of it',
    [],
    [
      '.singularity.d/',
      '.singularity.d/runscript=ours',
      'etc/',
      'etc/resolv.conf=ours',
      'singularity -> .singularity.d/runscript',
      'var/',
      'var/tmp/',
    ],
  ],
  [
    'a symlink where a mount point would be stays',
    ['tmp/', 'var/', 'var/tmp -> /tmp'],
    [
      '.singularity.d/',
      '.singularity.d/runscript=ours',
      'etc/',
      'etc/resolv.conf=ours',
      'singularity -> .singularity.d/runscript',
      'tmp/',
      'var/',
      'var/tmp -> /tmp',
    ],
  ],
  [
    'a resolv.conf that leads nowhere is replaced',
    ['etc/', 'etc/resolv.conf -> ../run/none'],
    [
      '.singularity.d/',
      '.singularity.d/runscript=ours',
      'etc/',
      'etc/resolv.conf=ours',
      'singularity -> .singularity.d/runscript',
      'var/',
      'var/tmp/',
    ],
  ],
  [
    'one that leads somewhere stays',
    ['etc/', 'etc/resolv.conf -> ../run/x', 'run/x=theirs'],
    [
      '.singularity.d/',
      '.singularity.d/runscript=ours',
      'etc/',
      'etc/resolv.conf -> ../run/x',
      'run/ implied',
      'run/x=theirs',
      'singularity -> .singularity.d/runscript',
      'var/',
      'var/tmp/',
    ],
  ],
  [
    'a real file called singularity stays, and an old runscript goes',
    ['singularity=theirs', '.singularity.d/', '.singularity.d/runscript=theirs'],
    [
      '.singularity.d/',
      '.singularity.d/runscript=ours',
      'etc/',
      'etc/resolv.conf=ours',
      'singularity=theirs',
      'var/',
      'var/tmp/',
    ],
  ],
])('%s', (_, image, expected) => {
  const tree = mergeLayers([image])
  applyMetadataLayer(tree, packedEntries(metadata.map(entry)), { layer: 1 })
  expect(listTree(tree)).toEqual(expected)
})

test('directories that are there keep their metadata', () => {
  const tree = mergeLayers([[{ ...entry('var/'), mode: 0o700 }]])
  applyMetadataLayer(tree, packedEntries(metadata.map(entry)), { layer: 1 })
  expect(tree.root.inode('var')).toMatchObject({ mode: 0o700 })
})
