/**
 * The settings of one client, each value knowing where it came from: option > environment >
 * `~/.sregistry` > default (DESIGN § 7; the AWS SDK's own chain comes after these, in aws/). Synchronous
 * and without packages, as every start of the program passes here.
 */
import { tmpdir } from 'node:os'
import { backendSection, type SettingsDocument } from './backend-settings.ts'
import { databaseUri, shownDatabaseUri } from './database-uri.ts'
import type { SettingName } from './setting-table.ts'
import { isSettingName, maskSecret, settingNames, settingTable } from './setting-table.ts'
import { parseCount, parseFlag, resolvePath } from './setting-values.ts'
import { readSettingsFile, settingsFileWarning } from './settings-file.ts'

export type SettingSource = 'option' | 'environment' | 'file' | 'default'

export type SettingValue = { readonly value: string; readonly source: SettingSource }

/** Values given by a caller; undefined ones count as not given. */
export type SettingOptions = {
  readonly [Name in SettingName]?: string | number | boolean | undefined
}

export type LoadSettingsInput = {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly home: string
  /** What relative paths are below; the process's working directory by default. */
  readonly cwd?: string
  readonly options?: SettingOptions
}

/** A row of `backend status` and `client.settings`. */
export type ListedSetting = {
  readonly name: string
  /** Masked when it is a secret. */
  readonly value: string
  readonly source: SettingSource
  readonly isSecret: boolean
  readonly meaning: string
}

export type Settings = {
  readonly home: string
  readonly cwd: string
  /** Path of `~/.sregistry`, or what SREGISTRY_CLIENT_SECRETS says. */
  readonly file: string
  /** What that file held; {} when there is none. */
  readonly document: SettingsDocument
  /** What the user should know about it, such as secrets that others can read. */
  readonly warnings: readonly string[]
  /** A value with its source; undefined when the setting is neither given nor has a default. */
  find(name: SettingName): SettingValue | undefined
  text(name: SettingName): string | undefined
  flag(name: SettingName): boolean
  /** @throws {SregistryError} SETTING_INVALID */
  count(name: SettingName): number | undefined
  /** An absolute path. @throws {SregistryError} SETTING_INVALID */
  path(name: SettingName): string | undefined
  /** Directory of images. @throws {SregistryError} SETTING_INVALID */
  storage(): string
  /** Directory that `docker/` is in. @throws {SregistryError} SETTING_INVALID */
  cache(): string
  /** Directory for work. @throws {SregistryError} SETTING_INVALID */
  work(): string
  /** The catalogue's URI; undefined when it is disabled. @throws {SregistryError} SETTING_INVALID */
  database(): string | undefined
  /** Every setting that has a value, in the order of the table. */
  list(): readonly ListedSetting[]
  /** The same settings with other options on top. */
  with(options: SettingOptions): Settings
}

/** @throws {SregistryError} SETTING_INVALID when the settings file cannot be read or is no JSON object. */
export function loadSettings(input: LoadSettingsInput): Settings {
  const { env, home, options = {}, cwd = process.cwd() } = input
  const given = givenSettings(options, env)
  const fileText = given.get('SREGISTRY_CLIENT_SECRETS')?.value ?? '~/.sregistry'
  const file = resolvePath('SREGISTRY_CLIENT_SECRETS', fileText, { home, cwd })
  const document = readSettingsFile(file)
  const values = withFileAndDefaults(given, document)
  const warning = settingsFileWarning(file, document)
  const find = (name: SettingName): SettingValue | undefined => values.get(name)
  const text = (name: SettingName): string | undefined => values.get(name)?.value
  const path = (name: SettingName): string | undefined => {
    const value = text(name)
    return value === undefined ? undefined : resolvePath(name, value, { home, cwd })
  }
  const flag = (name: SettingName): boolean => parseFlag(text(name) ?? 'no')
  return {
    home,
    cwd,
    file,
    document,
    warnings: warning === undefined ? [] : [warning],
    find,
    text,
    flag,
    count: (name) => {
      const value = text(name)
      return value === undefined ? undefined : parseCount(name, value)
    },
    path,
    storage: () => path('SREGISTRY_STORAGE') ?? home,
    cache: () => path('SINGULARITY_CACHEDIR') ?? home,
    work: () => path('SREGISTRY_TMPDIR') ?? tmpdir(),
    database: () =>
      flag('SREGISTRY_DISABLE')
        ? undefined
        : databaseUri(text('SREGISTRY_DATABASE') ?? home, { home, cwd }),
    list: () => [...values].map(([name, value]) => listed(name, value)),
    with: (more) => loadSettings({ env, home, cwd, options: { ...options, ...defined(more) } }),
  }
}

/** Options and environment; empty texts count as not given, as an `export NAME=` clears a setting. */
function givenSettings(
  options: SettingOptions,
  env: LoadSettingsInput['env'],
): ReadonlyMap<SettingName, SettingValue> {
  const given = new Map<SettingName, SettingValue>()
  for (const name of settingNames) {
    const option = options[name]
    const variable = env[name]
    if (option !== undefined) given.set(name, { value: String(option), source: 'option' })
    else if (variable !== undefined && variable !== '') {
      given.set(name, { value: variable, source: 'environment' })
    }
  }
  return given
}

function withFileAndDefaults(
  given: ReadonlyMap<SettingName, SettingValue>,
  document: SettingsDocument,
): ReadonlyMap<SettingName, SettingValue> {
  const values = new Map<SettingName, SettingValue>()
  for (const name of settingNames) {
    const inFile = fileValue(name, document)
    const fallback = settingTable[name].default
    const value =
      given.get(name) ??
      (inFile === undefined ? undefined : ({ value: inFile, source: 'file' } as const)) ??
      (fallback === undefined ? undefined : ({ value: fallback, source: 'default' } as const))
    if (value !== undefined) values.set(name, value)
  }
  return values
}

/** A backend's setting stands in its section; the ancestor put some at the top as well. */
function fileValue(name: SettingName, document: SettingsDocument): string | undefined {
  const { backend } = settingTable[name]
  const section = backend === undefined ? {} : backendSection(document, backend)
  const value = Object.hasOwn(section, name) ? section[name] : ownValue(document, name)
  const isScalar = ['string', 'number', 'boolean'].includes(typeof value)
  return isScalar && value !== '' ? String(value) : undefined
}

function ownValue(document: SettingsDocument, name: string): unknown {
  return Object.hasOwn(document, name) ? document[name] : undefined
}

function listed(name: SettingName, { value, source }: SettingValue): ListedSetting {
  const { isSecret = false, meaning } = settingTable[name]
  const open = name === 'SREGISTRY_DATABASE' ? shownDatabaseUri(value) : value
  return { name, value: isSecret ? maskSecret(value) : open, source, isSecret, meaning }
}

function defined(options: SettingOptions): SettingOptions {
  return Object.fromEntries(
    Object.entries(options).filter(([name, value]) => isSettingName(name) && value !== undefined),
  )
}
