import { expect, test } from 'vitest'
import { entry, mergeLayers } from './entries.ts'

test('directories that no entry describes have the time of the image, whenever that is told', () => {
  const tree = mergeLayers([
    ['described/', 'implied/a', 'hidden/', 'hidden/b'],
    ['.wh.hidden', 'hidden/c'],
  ])
  for (const seconds of [7, 8]) {
    const { list } = tree.flatten(seconds).directories
    const times = Object.fromEntries(list.map(({ name, directory }) => [name, directory.mtime]))
    expect(times).toEqual({ '': seconds, described: 3, implied: seconds, hidden: seconds })
  }
})

test('a directory that is described after all has its own time', () => {
  const tree = mergeLayers([['late/a'], [entry('late/')]])
  tree.flatten(7)
  expect(tree.root.inode('late')).toMatchObject({ mtime: 3, isImplied: false })
})
