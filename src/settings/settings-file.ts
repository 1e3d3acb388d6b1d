/**
 * `~/.sregistry` as it is read: whole or not at all. Synchronous, as it is read before anything else
 * happens.
 */

import { readFileSync, statSync } from 'node:fs'
import { SregistryError } from '../errors/sregistry-error.ts'
import type { SettingsDocument } from './backend-settings.ts'
import { isSecretName } from './setting-table.ts'

const maxBytes = 1024 * 1024

/**
 * The settings in a file; {} when there is none.
 * @throws {SregistryError} SETTING_INVALID when it cannot be read, is larger than 1 MiB or no JSON
 *   object. Neither message nor cause quote it: it may hold secrets.
 */
export function readSettingsFile(path: string): SettingsDocument {
  const text = readText(path)
  if (text === undefined || text.trim() === '') return {}
  const document = parseObject(text)
  if (document !== undefined) return document
  throw new SregistryError('SETTING_INVALID', `${path} is not a JSON object of settings`, {
    hint: 'mend it or move it away; `sregistry backend add` writes a new one',
  })
}

/** A sentence for the user when others can read a file with secrets in it. */
export function settingsFileWarning(path: string, document: SettingsDocument): string | undefined {
  const stats = statSync(path, { throwIfNoEntry: false })
  if (stats === undefined || (stats.mode & 0o077) === 0 || !holdsSecrets(document)) return undefined
  return `${path} holds secrets and others can read it: chmod 600 ${path}`
}

function readText(path: string): string | undefined {
  try {
    const stats = statSync(path, { throwIfNoEntry: false })
    if (stats === undefined) return undefined
    if (stats.size > maxBytes) throw new Error('larger than 1 MiB')
    return readFileSync(path, 'utf8').replace(/^\uFEFF/, '')
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined
    const reason = errorCode(error) ?? (error instanceof Error ? error.message : 'unknown failure')
    throw new SregistryError('SETTING_INVALID', `cannot read the settings in ${path}: ${reason}`, {
      hint: `make ${path} a file that you can read, or set SREGISTRY_CLIENT_SECRETS`,
    })
  }
}

function parseObject(text: string): SettingsDocument | undefined {
  try {
    const value: unknown = JSON.parse(text)
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
    return isObject ? (value as SettingsDocument) : undefined
  } catch {
    // the parser's message quotes the text, secrets included: it goes no further
    return undefined
  }
}

function holdsSecrets(document: SettingsDocument): boolean {
  return Object.entries(document).some(([name, value]) =>
    typeof value === 'object' && value !== null
      ? holdsSecrets(value as SettingsDocument)
      : typeof value === 'string' && value !== '' && isSecretName(name),
  )
}

/** What the system calls a failure, such as ENOENT. */
export function errorCode(error: unknown): string | undefined {
  return error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined
}
