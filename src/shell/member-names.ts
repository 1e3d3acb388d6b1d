/** The members of objects, by property descriptors alone: no getter and no proxy trap is run. */
import { builtinModules } from 'node:module'
import { types } from 'node:util'

const identifier = /^[\p{L}_$][\p{L}\p{N}_$]*$/u

/** Globals that are getters of Node's own or of globals.ts; loading these modules prints a warning. */
const knownGetters = new Set(['process', 'Buffer', 'performance', ...builtinModules])
for (const name of ['punycode', 'sqlite', 'wasi']) knownGetters.delete(name)

/** Members of what a path of names leads to, from the globals on; empty past a getter of the user's. */
export function memberNamesOf(path: readonly string[]): readonly string[] {
  return memberNames(objectAt(path), true)
}

/** What a path of names leads to; undefined past a getter of the user's. */
export function objectAt(path: readonly string[]): unknown {
  let object: unknown = globalThis
  for (const [i, name] of path.entries()) {
    const descriptor = descriptorOf(object, name)
    const isKnown = i === 0 && knownGetters.has(name)
    if (descriptor === undefined || !('value' in descriptor || isKnown)) return undefined
    object = isKnown ? Reflect.get(globalThis, name) : descriptor.value
  }
  return object
}

/** The value of a member that is no getter. */
export function dataMember(object: unknown, name: string): unknown {
  return descriptorOf(object, name)?.value
}

/** Whether an object is an image of the API; told by data alone, as a getter of the user's must not run. */
export function isImage(object: unknown): boolean {
  return ['name', 'digest', 'path', 'command'].every((name) => {
    return dataMember(object, name) !== undefined
  })
}

/** @param hidesDetails Leaves out `_private`, `__proto__` and its like. */
export function memberNames(object: unknown, hidesDetails: boolean): readonly string[] {
  const names = new Set<string>()
  for (const link of prototypeChain(object)) {
    // What every object has says nothing about this one.
    if (link === Object.prototype && names.size > 0) break
    for (const name of Object.getOwnPropertyNames(link)) {
      if (identifier.test(name) && !(hidesDetails && /^_|^constructor$/.test(name))) names.add(name)
    }
  }
  return [...names]
}

function descriptorOf(object: unknown, name: string): PropertyDescriptor | undefined {
  for (const link of prototypeChain(object)) {
    const descriptor = Object.getOwnPropertyDescriptor(link, name)
    if (descriptor !== undefined) return descriptor
  }
  return undefined
}

function* prototypeChain(object: unknown): Generator<object> {
  let link: object | null = toObject(object)
  while (link !== null && !types.isProxy(link)) {
    yield link
    link = Object.getPrototypeOf(link)
  }
}

function toObject(value: unknown): object | null {
  if (value === undefined || value === null) return null
  return typeof value === 'object' || typeof value === 'function' ? value : Object(value)
}
