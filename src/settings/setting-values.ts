/** What the text of a setting means: flags, numbers, paths. */
import { isAbsolute, normalize, resolve } from 'node:path'
import { SregistryError } from '../errors/sregistry-error.ts'

const trueWords = new Set(['yes', 'true', 't', '1', 'y'])

/** The ancestor's rule: yes, true, t, 1 and y are true in any case, all else is false (`no` as well). */
export function parseFlag(text: string): boolean {
  return trueWords.has(text.trim().toLowerCase())
}

/** @throws {SregistryError} SETTING_INVALID for anything but a whole number from 1 to 1,000,000. */
export function parseCount(name: string, text: string): number {
  const value = Number(text)
  if (/^\d{1,7}$/.test(text.trim()) && value >= 1 && value <= 1_000_000) return value
  throw new SregistryError('SETTING_INVALID', `${name} is "${text.slice(0, 80)}", not a number`, {
    hint: `give ${name} a whole number from 1 on`,
  })
}

/**
 * An absolute path: `~` and `~/…` below the home directory, others below the working directory.
 * @throws {SregistryError} SETTING_INVALID for `~user` and for NUL characters.
 */
export function resolvePath(
  name: string,
  text: string,
  at: { readonly home: string; readonly cwd: string },
): string {
  if (text.includes('\0') || /^~[^/]/.test(text)) {
    throw new SregistryError('SETTING_INVALID', `${name} is no path that can be used`, {
      hint: `give ${name} an absolute path, or one that starts with ~/`,
    })
  }
  if (text === '~') return at.home
  if (text.startsWith('~/')) return resolve(at.home, text.slice(2))
  return isAbsolute(text) ? resolve(normalize(text)) : resolve(at.cwd, text)
}
