/** Preloaded (`--import`): writes the URL of every module that is loaded to $MODULES_LOG, one a line. */
import { appendFileSync } from 'node:fs'
import { Module, register } from 'node:module'
import { pathToFileURL } from 'node:url'

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
  appendFileSync(process.env.MODULES_LOG, `${pathToFileURL(path).href}\n`)
  return load.call(this, path)
}
