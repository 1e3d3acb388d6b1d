/** Preloaded (`--import`): writes the URL of every module that is loaded to $MODULES_LOG, one a line. */
import { appendFileSync } from 'node:fs'
import { Module, register } from 'node:module'
import { pathToFileURL } from 'node:url'
import vm from 'node:vm'

const hooks = `
import { appendFileSync } from 'node:fs'
export async function load(url, context, next) {
  appendFileSync(process.env.MODULES_LOG, url + '\\n')
  return next(url, context)
}`

register(`data:text/javascript,${encodeURIComponent(hooks)}`)

// hooks see what is imported; what is required passes here
const { load } = Module.prototype
Module.prototype.load = function (path) {
  log(path)
  return load.call(this, path)
}

// and here what the launcher has bytecode of
vm.Script = class extends vm.Script {
  constructor(source, options) {
    if (options.filename.startsWith('/')) log(options.filename)
    super(source, options)
  }
}

function log(path) {
  appendFileSync(process.env.MODULES_LOG, `${pathToFileURL(path).href}\n`)
}
