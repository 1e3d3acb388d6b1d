import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'

const dist = new URL('../../dist/', import.meta.url).href

/** The failure of a script in a process of its own, whose WebAssembly gets no more than some pages of 64 KiB. */
function failureWith(pages: number, script: string): unknown {
  const text = `
    try {
      ${script}
    } catch ({ code, message, hint }) {
      console.log(JSON.stringify({ code, message, hint }))
    }`
  const flags = [`--wasm-max-mem-pages=${pages}`, '--input-type=module']
  return JSON.parse(execFileSync(process.execPath, [...flags, '-e', text], { encoding: 'utf8' }))
}

const hint = 'run it where a process may use more memory and more addresses (ulimit -v)'

test.each([0, 1])('tables that get %i pages of memory are one clear failure', (pages) => {
  const failure = failureWith(
    pages,
    `const { encodeSquashfsTables } = await import('${dist}squashfs/table-encoder.js')
    const { flattenTree } = await import('${dist}squashfs/flat-tree.js')
    const root = { mode: 0, uid: 0, gid: 0, mtime: 0, xattrs: undefined, names: new Map() }
    encodeSquashfsTables(
      { directories: flattenTree(root), leaves: { parts: [], kinds: [], links: new Map() } },
      { compressor: { compression: { kind: 'none' } }, blockSize: 4096, fragments: [] },
    )`,
  )
  expect(failure).toEqual({
    code: 'LIMIT_EXCEEDED',
    message: 'there is not enough memory for the tables of the image',
    hint,
  })
})

test('contents that get no memory are one clear failure', () => {
  const failure = failureWith(
    1,
    `const { findContentHomes } = await import('${dist}image/layout/content-homes.js')
    const { PackedContents } = await import('${dist}image/packed-contents.js')
    const length = 100_000
    const words = new Uint32Array(length + 1)
    const sizes = new Float64Array(length)
    const contents = new PackedContents({
      length, text: '', sizes, positions: sizes, fragments: new Int32Array(length), offsets: words,
      identityStarts: words, identityLengths: words, blockStarts: words, blocks: words,
    })
    findContentHomes({ leaves: { parts: [{ length: 0, text: '', contents }] } })`,
  )
  expect(failure).toMatchObject({ code: 'LIMIT_EXCEEDED', hint })
})
