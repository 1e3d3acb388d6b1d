/**
 * Paths of tar entries as a root file system sees them (FORMATS § 3.4.1). All strings are latin1: one
 * char per byte.
 */
import { layerInvalid } from './layer-invalid.ts'

/** NAME_MAX and PATH_MAX - 1 of Linux, in bytes. */
const maxComponentBytes = 255
export const maxPathBytes = 4095

/**
 * Drops leading slashes, empty and `.` components, resolves `..` but never above the root, strips
 * trailing slashes. The empty string is the root directory.
 * @throws {SregistryError} LAYER_INVALID for an empty name, a NUL, or more bytes than Linux takes.
 */
export function normalisePath(name: string): string {
  if (name === '') throw layerInvalid('an entry has no name')
  if (name.includes('\0')) throw layerInvalid('a name contains a NUL byte', name)
  const components: string[] = []
  for (const component of name.split('/')) {
    if (component === '' || component === '.') continue
    if (component === '..') components.pop()
    else components.push(checkedComponent(component, name))
  }
  const path = components.join('/')
  if (path.length > maxPathBytes) {
    throw layerInvalid(`a path is longer than ${maxPathBytes} bytes`, name)
  }
  return path
}

function checkedComponent(component: string, name: string): string {
  if (component.length > maxComponentBytes) {
    throw layerInvalid(`a name is longer than ${maxComponentBytes} bytes`, name)
  }
  return component
}
