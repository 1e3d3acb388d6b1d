#!/usr/bin/env node
/*
 * The launcher. CommonJS on purpose: reading an ES module already starts libuv's thread pool, and its
 * size can only be set before that (seen on Node 20). Layers are compressed on that pool, so it gets a
 * thread per core, and never fewer than libuv's own four.
 */
process.env.UV_THREADPOOL_SIZE ??= String(
  Math.min(64, Math.max(4, require('node:os').availableParallelism())),
)

const { readFileSync, realpathSync } = require('node:fs')

/*
 * Called by commands that have much to do, and not before: a changed flag makes V8 refuse the code cache
 * of Node's own modules, 12 ms of the 40 to a prompt and of a pull that has nothing to do, and 25 ms of the
 * 50 in which a thread starts then.
 */
function tuneEngine() {
  const { setFlagsFromString } = require('node:v8')
  /*
   * undici parses HTTP in WebAssembly, which V8 would optimise in the background and wait for at the end:
   * 50 ms of a command that asks one question. The baseline compiler alone is quick enough for headers.
   */
  setFlagsFromString('--liftoff-only')
  /*
   * Bytes pass through buffers outside V8's heap. For every 64 MiB of them V8 marks the heap step by step,
   * 150 to 230 times in the pull of a 1.8 GB image, for 2.7 of its 39 seconds of processor time; without
   * that it collects a dozen times, when there is something to collect.
   */
  setFlagsFromString('--no-incremental-marking')
}

/** A file of the program: of its kept bytecode where there is some, else as Node reads files. */
function load(name) {
  const file = realpathSync.native(`${__dirname}/../dist/program/${name}`)
  const loaded = require.cache[file]
  if (loaded !== undefined) return loaded.exports
  const script = keptScript(file)
  if (script === undefined) return require(file)
  const made = new module.constructor(file)
  made.filename = file
  require.cache[file] = made // for the files that Node reads: they require this one
  const requireFrom = (id) => (id.startsWith('./') ? load(id) : require(id))
  script.runInThisContext()(made.exports, requireFrom, made, file, made.path)
  made.loaded = true
  return made.exports
}

/**
 * Compiling the prompt's files is a tenth of the time to it, so build/code-cache.mjs keeps V8's bytecode of
 * them for the Node that built. V8 itself refuses that of another V8 or of other flags, and compiles; but
 * when it is damaged V8 crashes (seen on Node 20, 22 and 24). So the bytecode stands there twice, which is
 * compared sooner than node:crypto is loaded, and before it the source that it was made of.
 * @returns Undefined if nothing whole is kept for this Node and this source.
 */
function keptScript(file) {
  const kept = readIfThere(`${file}.${process.version}-${process.arch}.bytecode`)
  if (kept === undefined) return undefined
  const source = readFileSync(file)
  const middle = (source.length + kept.length) / 2
  const cachedData = kept.subarray(source.length, middle)
  const isWhole = cachedData.equals(kept.subarray(middle))
  if (!isWhole || !source.equals(kept.subarray(0, source.length))) return undefined
  const { Script } = require('node:vm') // it has no import(), so neither have these files
  const start = '(function (exports, require, module, __filename, __dirname) { '
  return new Script(`${start}${source}\n})`, {
    filename: file,
    columnOffset: -start.length,
    cachedData,
  })
}

function readIfThere(file) {
  try {
    return readFileSync(file)
  } catch {
    return undefined // whatever the reason: it is read for speed alone
  }
}

void load('start.cjs').main(process.argv.slice(2), tuneEngine)
