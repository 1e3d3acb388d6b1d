/**
 * Makes dist/program/ of src/cli/ and of the threads of a pull: the program in CommonJS, a file for each way
 * through it instead of a file for each module. Every ES module costs half a millisecond of resolving,
 * reading and linking, and the first one the loader as well; see "The program is bundled" in ARCHITECTURE.md.
 * The library stays what tsc made of it.
 */
import { rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'

const source = fileURLToPath(new URL('../src/', import.meta.url))
const program = fileURLToPath(new URL('../dist/program/', import.meta.url))

/** Of the shell and of a pull. */
const bothWays = [
  'client/client-facts',
  'client/client-name',
  'client/container',
  'terminal/banner',
]

/**
 * What is read together lies together, each with all that it imports. A file is read whole: what only
 * one command needs must not stand here. test/arch/program.test.ts holds what is in them.
 */
const groups = [
  { name: 'start', of: ['cli/main', ...bothWays] },
  { name: 'prompt', of: ['cli/shell', 'shell/start', 'shell/prompt'] },
  // the shell tells whose fault an error is by the file that threw it
  { name: 'evaluate', of: ['shell/evaluate'] },
  { name: 'client', of: ['cli/with-client', 'client/get-client', 'catalog/sqlite-store'] },
  {
    name: 'pull',
    of: ['cli/pull', 'client/registry-backend-client', 'registry/direct-request'],
  },
]

/** What package.json's `imports` names. */
const threads = [
  'image/compose/compose-worker',
  'image/encode-worker',
  'image/layout/copy-worker',
  'image/pack-worker',
]

/** Read by every command but the two quick ones. */
const bundledPackages = ['commander']

const output = await write('cli/main', {
  dir: program,
  entryFileNames: '[name].cjs',
  chunkFileNames: '[name].cjs',
  minifyInternalExports: false,
  codeSplitting: {
    groups: groups.map(({ name, of }, index) => ({
      name,
      test: (id) => of.some((module) => id === `${source}${module}.ts`),
      priority: groups.length - index,
    })),
  },
})
// its entry stands in `start`; a file that only passes it on is a file more to read
const start = output.find(({ fileName }) => fileName === 'start.cjs')
if (!start?.exports?.includes('main')) throw new Error('dist/program/start.cjs has no main')
rmSync(`${program}main.cjs`)
// one file for each thread: it starts in two thirds of the time
for (const thread of threads) {
  const file = `${program}${thread.slice(thread.lastIndexOf('/') + 1)}.cjs`
  output.push(...(await write(thread, { file })))
}
const bytes = output.reduce((sum, { code = '' }) => sum + code.length, 0)
process.stdout.write(`dist/program: ${output.length - 1} files, ${Math.round(bytes / 1024)} KiB\n`)

/** @returns what was written for this module and all that it imports. */
async function write(module, options) {
  const bundle = await rolldown({
    input: `${source}${module}.ts`,
    platform: 'node',
    tsconfig: false,
    external: isLeftOut,
    onLog: failOnWarnings,
  })
  const { output } = await bundle.write({ format: 'cjs', comments: false, ...options })
  await bundle.close()
  return output
}

/** Packages stay in node_modules, `#…` is found by package.json: only our modules, and this one, go in. */
function isLeftOut(id) {
  return /^[^./]/.test(id) && !bundledPackages.includes(id)
}

/** Such as `import.meta.resolve`, which CommonJS does not have: it would fail when it is called. */
function failOnWarnings(_level, { code, message }) {
  // an import() of what its group has already: lazy in one way through the program, read in the other
  if (code !== 'INEFFECTIVE_DYNAMIC_IMPORT') throw new Error(message)
}
