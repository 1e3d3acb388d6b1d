#!/usr/bin/env node
/*
 * The launcher. CommonJS on purpose: reading an ES module already starts libuv's thread pool, and its
 * size can only be set before that (seen on Node 20). Layers are compressed on that pool, so it gets a
 * thread per core, and never fewer than libuv's own four.
 */
process.env.UV_THREADPOOL_SIZE ??= String(
  Math.min(64, Math.max(4, require('node:os').availableParallelism())),
)

/*
 * Called by commands that have much to do, and not before: a changed flag makes V8 refuse the code cache
 * of Node's own modules, 12 ms of the 40 to a prompt and of a pull that has nothing to do.
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

void require('../dist/program/start.cjs').main(process.argv.slice(2), tuneEngine)
