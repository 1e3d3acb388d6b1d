/**
 * Keeps V8's bytecode of what a shell runs to its prompt, beside the files of dist/program/ and for the
 * Node that runs this; bin/sregistry.js takes it from there. V8 compiles a function when it is first
 * called, so the launcher itself is run to its prompt, in a home and on a terminal that are made up.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import vm from 'node:vm'

const program = fileURLToPath(new URL('../dist/program/', import.meta.url))
const launcher = fileURLToPath(new URL('../bin/sregistry.js', import.meta.url))
/** Without `import()`, see the launcher; test/arch/program.test.ts holds that these are the prompt's. */
const ofThePrompt = ['rolldown-runtime.cjs', 'start.cjs', 'prompt.cjs']
const patienceMs = 20_000

const scripts = collectScripts()
// what the launcher finds something kept of, it makes a script of
for (const name of ofThePrompt) keep(join(program, name), Buffer.alloc(0))
await runToPrompt()
let bytes = 0
for (const [file, script] of scripts) bytes += keep(file, script.createCachedData())
const size = Math.round(bytes / 1024)
process.stderr.write(`bytecode of the prompt for Node ${process.version}: ${size} KiB\n`)
process.exit() // there is a shell

/** As keptScript of the launcher reads it. */
function keep(file, bytecode) {
  const name = `${file}.${process.version}-${process.arch}.bytecode`
  writeFileSync(name, Buffer.concat([readFileSync(file), bytecode, bytecode]))
  return bytecode.length
}

/** Those that the launcher makes from now on, by their files. */
function collectScripts() {
  const made = new Map()
  vm.Script = class extends vm.Script {
    constructor(source, options) {
      super(source, options)
      made.set(options.filename, this)
    }
  }
  return made
}

function runToPrompt() {
  const home = mkdtempSync(join(tmpdir(), 'sregistry-build-'))
  process.once('exit', () => rmSync(home, { recursive: true }))
  process.env = { HOME: home, TERM: 'xterm', LANG: 'C.UTF-8', SREGISTRY_AWS_ZONE: 'us-east-1' }
  process.argv.splice(1, Number.POSITIVE_INFINITY, launcher, 'shell')
  return new Promise((done, fail) => {
    setTimeout(() => fail(new Error('the shell shows no prompt')), patienceMs).unref()
    const screen = new Writable({
      write(chunk, _encoding, written) {
        if (/^aws\S*> /.test(chunk)) setImmediate(done)
        written()
      },
    })
    replaceStream('stdin', Object.assign(new PassThrough(), { setRawMode: () => undefined }))
    replaceStream('stdout', Object.assign(screen, { columns: 80, rows: 24 }))
    createRequire(launcher)(launcher)
  })
}

function replaceStream(name, stream) {
  Object.defineProperty(process, name, { value: Object.assign(stream, { isTTY: true }) })
}
