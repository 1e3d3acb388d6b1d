/**
 * The document in `~/.sregistry`, in the ancestor's form, and what `sregistry backend` does to it. Pure:
 * a document goes in, a document comes out; keys that are not known here are kept.
 */
import { SregistryError } from '../errors/sregistry-error.ts'
import { backends, isSecretName, maskSecret, settingTable } from './setting-table.ts'

/** `{"SREGISTRY_CLIENT": "aws", "aws": {"SREGISTRY_AWS_ID": "…"}}` */
export type SettingsDocument = { readonly [key: string]: unknown }

export type BackendStatus = {
  /** The backends that have a section. */
  readonly configured: readonly string[]
  /** What SREGISTRY_CLIENT of the file says. */
  readonly active: string | undefined
}

export type ChangedSetting = {
  readonly document: SettingsDocument
  /** The whole name of what was changed: `SREGISTRY_AWS_ID`. */
  readonly variable: string
}

const activeKey = 'SREGISTRY_CLIENT'
/** Where the ancestor's variables are not named as their backend. */
const prefixes: Readonly<Record<string, string>> = { docker: 'SREGISTRY_DOCKERHUB_' }

/** The backends that can be used, and the sections of others that the file keeps. */
export function listBackends(document: SettingsDocument): readonly string[] {
  return [...new Set([...backends, ...backendStatus(document).configured])]
}

export function backendStatus(document: SettingsDocument): BackendStatus {
  const active = document[activeKey]
  return {
    configured: Object.keys(document).filter((key) => isSection(document[key])),
    active: typeof active === 'string' && active !== '' ? active : undefined,
  }
}

/** The settings of a backend as the file has them; {} when it has no section. */
export function backendSection(document: SettingsDocument, backend: string): SettingsDocument {
  const section = Object.hasOwn(document, backend) ? document[backend] : undefined
  return isSection(section) ? section : {}
}

/**
 * The same fit to be shown, secrets masked.
 * @throws {SregistryError} SETTING_MISSING when the backend is not known.
 */
export function shownBackendSection(
  document: SettingsDocument,
  backend: string,
): Readonly<Record<string, string>> {
  checkKnown(document, backend)
  return Object.fromEntries(
    Object.entries(backendSection(document, backend)).map(([name, value]) => {
      const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? '')
      return [name, isSecretName(name) ? maskSecret(text) : text]
    }),
  )
}

/**
 * Adds a setting: `ID`, `aws_id` and `SREGISTRY_AWS_ID` are the same one.
 * @throws {SregistryError} SETTING_INVALID when it is set already and `force` is not given, or the name
 *   cannot be a variable.
 */
export function addBackendSetting(
  document: SettingsDocument,
  backend: string,
  name: string,
  value: string,
  options: { readonly force?: boolean } = {},
): ChangedSetting {
  checkBackendName(backend)
  const variable = variableName(backend, name)
  const section = backendSection(document, backend)
  const previous = Object.hasOwn(section, variable) ? section[variable] : undefined
  if (previous !== undefined && options.force !== true) {
    const shown = isSecretName(variable) ? maskSecret(String(previous)) : String(previous)
    throw new SregistryError('SETTING_INVALID', `${variable} is already set as ${shown}.`, {
      hint: 'use --force to override',
    })
  }
  return { document: { ...document, [backend]: { ...section, [variable]: value } }, variable }
}

/** @throws {SregistryError} SETTING_MISSING when the backend is not known or has no such setting. */
export function removeBackendSetting(
  document: SettingsDocument,
  backend: string,
  name: string,
): ChangedSetting {
  checkKnown(document, backend)
  const variable = variableName(backend, name)
  const section = backendSection(document, backend)
  const key = Object.hasOwn(section, variable) ? variable : name
  if (!Object.hasOwn(section, key)) {
    throw new SregistryError('SETTING_MISSING', `${variable} is not set for ${backend}.`, {
      hint: `\`sregistry backend ls ${backend}\` shows what is`,
    })
  }
  return { document: { ...document, [backend]: without(section, key) }, variable: key }
}

/** @throws {SregistryError} SETTING_MISSING when the backend is not known. */
export function activateBackend(document: SettingsDocument, backend: string): SettingsDocument {
  checkKnown(document, backend)
  return { ...document, [activeKey]: backend }
}

/** No backend is active afterwards: the default is used. */
export function deactivateBackend(document: SettingsDocument): SettingsDocument {
  return without(document, activeKey)
}

/**
 * Removes a backend's section, and deactivates it when it was active.
 * @throws {SregistryError} SETTING_MISSING when there is no such section.
 */
export function deleteBackend(document: SettingsDocument, backend: string): SettingsDocument {
  if (!backendStatus(document).configured.includes(backend)) throw unknownBackend(backend)
  const rest = without(document, backend)
  return document[activeKey] === backend ? deactivateBackend(rest) : rest
}

/** The variable that a short name means: one of the table if it can be, else the backend's prefix. */
function variableName(backend: string, name: string): string {
  const upper = name.toUpperCase().replaceAll('-', '_')
  if (!/^[A-Z][A-Z0-9_]*$/.test(upper)) {
    throw new SregistryError('SETTING_INVALID', `"${name.slice(0, 80)}" cannot name a setting`, {
      hint: 'use letters, digits and _',
    })
  }
  const known = Object.entries(settingTable)
    .filter(([, definition]) => definition.backend === backend)
    .map(([variable]) => variable)
  const ownPrefix = `SREGISTRY_${backend.toUpperCase().replaceAll('-', '_')}_`
  const wanted = [upper, `SREGISTRY_${upper}`, `${ownPrefix}${upper}`]
  const found = wanted.find((variable) => known.includes(variable))
  if (found !== undefined) return found
  const isWhole = upper.startsWith('SREGISTRY_') || upper.startsWith('SINGULARITY_')
  return isWhole ? upper : `${prefixes[backend] ?? ownPrefix}${upper}`
}

function checkKnown(document: SettingsDocument, backend: string): void {
  if (!listBackends(document).includes(backend)) throw unknownBackend(backend)
}

function checkBackendName(backend: string): void {
  if (!/^[a-z][a-z0-9-]*$/.test(backend)) throw unknownBackend(backend)
}

function unknownBackend(backend: string): SregistryError {
  return new SregistryError('SETTING_MISSING', `${backend.slice(0, 80)} is not a known client.`, {
    hint: '`sregistry backend ls` lists them',
  })
}

function without(document: SettingsDocument, key: string): SettingsDocument {
  return Object.fromEntries(Object.entries(document).filter(([name]) => name !== key))
}

function isSection(value: unknown): value is SettingsDocument {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
