/**
 * The two ini files that every AWS tool shares (`~/.aws/config`, `~/.aws/credentials`), read by
 * ourselves: the SDK caches them for the life of the process and does not say what they lack.
 * @see AWS SDKs and Tools Reference Guide, "Shared config and credentials files"
 */
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** Keys of one section; a nested block (`services`, `s3`) gives keys as `ecr.endpoint_url`. */
export type IniSection = Readonly<Record<string, string>>
export type IniFile = ReadonlyMap<string, IniSection>

export type SharedConfig = {
  readonly configPath: string
  readonly credentialsPath: string
  /** Undefined when the file is not there or cannot be read. */
  readonly config: IniFile | undefined
  readonly credentials: IniFile | undefined
}

export type Environment = Readonly<Record<string, string | undefined>>

/** Reads both files anew. Never throws: a file that cannot be read counts as absent. */
export function readSharedConfig(env: Environment, home: string): SharedConfig {
  const configPath = env['AWS_CONFIG_FILE'] || join(home, '.aws', 'config')
  const credentialsPath = env['AWS_SHARED_CREDENTIALS_FILE'] || join(home, '.aws', 'credentials')
  return {
    configPath,
    credentialsPath,
    config: readIniFile(configPath),
    credentials: readIniFile(credentialsPath),
  }
}

function readIniFile(path: string): IniFile | undefined {
  try {
    // most people have none, and an error costs more than the question
    if (statSync(path, { throwIfNoEntry: false }) === undefined) return undefined
    return parseIni(readFileSync(path, 'utf8'))
  } catch {
    // Absent, a folder, or not ours to read: the diagnosis names the path, the SDK goes on without.
    return undefined
  }
}

/** Parses as the SDKs do: `[section]`, `key = value`, `#`/`;` comments, indented sub-keys. */
export function parseIni(text: string): IniFile {
  const sections = new Map<string, Record<string, string>>()
  let section: Record<string, string> | undefined
  let parent: string | undefined
  for (const line of text.split(/\r?\n/)) {
    const trimmed = line.replace(/(^|\s)[;#].*$/, '').trim()
    const name = /^\[([^\]]+)\]/.exec(trimmed)?.[1]
    if (name !== undefined) {
      const key = name.trim().replace(/\s+/g, ' ').replaceAll(/["']/g, '')
      section = sections.get(key) ?? {}
      sections.set(key, section)
      parent = undefined
      continue
    }
    const equals = trimmed.indexOf('=')
    if (section === undefined || equals < 1) continue
    const key = trimmed.slice(0, equals).trim()
    const value = trimmed.slice(equals + 1).trim()
    if (/^\s/.test(line) && parent !== undefined) {
      section[`${parent}.${key}`] = value
      continue
    }
    parent = value === '' ? key : undefined
    section[key] = value
  }
  return sections
}

/** One profile with the keys of both files; where both set a key, the credentials file wins. */
export function profileSection(shared: SharedConfig, profile: string): IniSection | undefined {
  const config = configSection(shared.config, profile)
  const credentials = shared.credentials?.get(profile)
  if (config === undefined && credentials === undefined) return undefined
  return { ...config, ...credentials }
}

// In the config file only `[default]` may stand without the word `profile`.
function configSection(config: IniFile | undefined, profile: string): IniSection | undefined {
  const named = config?.get(`profile ${profile}`)
  return named ?? (profile === 'default' ? config?.get('default') : undefined)
}

export type ProfileChain = {
  /** From the profile itself to the one that has credentials, or should: it may not be there. */
  readonly names: readonly [string, ...string[]]
  /** Whether the last one's source is one of them. */
  readonly isRing: boolean
}

/** The profiles whose credentials the role of this one is taken with, by their `source_profile`. */
export function profileChain(shared: SharedConfig, profile: string): ProfileChain {
  const names: [string, ...string[]] = [profile]
  let next = profileSection(shared, profile)?.['source_profile']
  while (next !== undefined && !names.includes(next)) {
    names.push(next)
    next = profileSection(shared, next)?.['source_profile']
  }
  return { names, isRing: next !== undefined }
}

/** Whether the role of this profile is taken with the container's credentials, by itself or by its source. */
export function takesFromContainer(shared: SharedConfig, profile: string): boolean {
  return profileChain(shared, profile).names.some(
    (name) => profileSection(shared, name)?.['credential_source'] === 'EcsContainer',
  )
}

/** The names of all profiles in both files, sorted. */
export function profileNames(shared: SharedConfig): readonly string[] {
  const names = new Set(shared.credentials?.keys() ?? [])
  for (const section of shared.config?.keys() ?? []) {
    if (section === 'default') names.add(section)
    if (section.startsWith('profile ')) names.add(section.slice('profile '.length))
  }
  return [...names].sort()
}

/** The profile in force: given, `AWS_PROFILE`, `AWS_DEFAULT_PROFILE` (the `aws` command's), `default`. */
export function activeProfile(env: Environment, given?: string): string {
  return given || env['AWS_PROFILE'] || env['AWS_DEFAULT_PROFILE'] || 'default'
}
