/** The doctor's words: what a rung is, what it may find, and what it is given to look at. */
import type { AwsConnection } from './aws-connection.ts'
import type { AwsSettings } from './aws-settings.ts'
import type { Environment } from './shared-config.ts'

export const rungs = [
  { key: 'settings', title: 'settings' },
  { key: 'credentials', title: 'credentials' },
  { key: 'clock', title: "clock against AWS's" },
  { key: 'token', title: 'token' },
  { key: 'endpoint', title: 'registry endpoint' },
  { key: 'repositories', title: 'repositories' },
  { key: 'image', title: 'image' },
  { key: 'layers', title: 'layers' },
  { key: 'storage', title: 'storage, cache and database' },
] as const
export type RungKey = (typeof rungs)[number]['key']

/** What a check found. */
export type Finding = {
  readonly status: 'ok' | 'warning' | 'failed' | 'skipped'
  /** What was seen, in one line. */
  readonly evidence: string
  /** Where the values come from. */
  readonly source?: string
  /** The one thing to do. */
  readonly mend?: string
  /** Code of the error, where there was one. */
  readonly code?: string
  /** For `--json`: single values, no secrets. */
  readonly details?: Readonly<Record<string, unknown>>
}

export type RungResult = Finding & {
  /** 1 to 9. */
  readonly rung: number
  readonly key: RungKey
  readonly title: string
}

type DoctorImage = {
  readonly digest: string
  /** Where an index names it. */
  readonly platform?: string
  readonly sizeBytes: number
  readonly layers: number
}

/** What the doctor needs of the parts above and beside this folder. Each throws an SregistryError. */
export type DoctorProbes = {
  /** `GET /v2/` with the token: resolves when the registry answers 200. */
  readonly ping: (signal?: AbortSignal) => Promise<void>
  /** Finds the manifest that was asked for, without its blobs; absent when no image was named. */
  readonly image?: (signal?: AbortSignal) => Promise<DoctorImage>
  /** Reads the config and the first byte of a layer through the redirect; gives the host that it came from. */
  readonly firstLayerByte?: (
    signal?: AbortSignal,
  ) => Promise<{ readonly host: string; readonly platform: string }>
  /** Checks that storage, cache and database can be written; gives a line about them. */
  readonly storage: (signal?: AbortSignal) => Promise<string>
}

export type DoctorOptions = {
  /** Resolves the settings and connects; its errors are those of the first rung. */
  readonly open: () => { readonly settings: AwsSettings; readonly connection: AwsConnection }
  readonly probes: DoctorProbes
  readonly env: Environment
  /** The repository that was asked for. */
  readonly repository?: string
  /** The time, in milliseconds. Default: the system's. */
  readonly now?: () => number
  /** How long a rung that asks the registry or its storage may take. Default: 20 s. */
  readonly patienceMs?: number
  readonly signal?: AbortSignal
}

/** What all rungs share once the first one stands. */
export type DoctorCase = Omit<DoctorOptions, 'open' | 'now'> & {
  readonly settings: AwsSettings
  readonly connection: AwsConnection
  readonly now: () => number
}
