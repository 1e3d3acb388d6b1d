/** What the shell needs of a client, and nothing more; the library's Client has this shape. */
import type { ShownRung } from '../terminal/doctor-checklist.ts'
import type { ProgressEvent } from '../terminal/pull-progress.ts'

/** What calls tell while they run: a pull its bytes and lines, the doctor each rung. */
export type CallEvent = ProgressEvent | { readonly type: 'rung'; readonly rung: ShownRung }

/** What every long method takes last; the shell fills it in from the running statement. */
export type CallOptions = {
  readonly signal?: AbortSignal
  readonly onProgress?: (event: CallEvent) => void
}

/** What banner and prompt say of a client, known from the settings alone. */
export type ClientFacts = {
  /** `aws`, `docker`, `nvidia`, `ecr-public` */
  readonly name: string
  /** Where it works, for the prompt: a region or a registry host. */
  readonly place?: string | undefined
  /** URI of the catalogue for the banner, undefined when there is none. */
  readonly database?: string | undefined
}

/** A client whose code is loaded when it is first needed, which is after the prompt. */
export type ClientToOpen = ClientFacts & { readonly open: () => Promise<ShellClient> }

/** Methods by the names of `clientMethods` (api-help.ts); which of them a backend has is its own. */
export type ShellClient = ClientFacts & {
  /** Loads what the first call will need; called when the prompt has been idle for a moment. */
  readonly prewarm?: () => Promise<void>
}

export function openClient(client: ShellClient | ClientToOpen): Promise<ShellClient> {
  return 'open' in client ? client.open() : Promise.resolve(client)
}

/** Undefined also when the settings make no sense: a prompt is where that is looked into and mended. */
export function placeOf(client: ClientFacts): string | undefined {
  try {
    return client.place
  } catch {
    return undefined // the first call tells what is wrong
  }
}

/** How the shell gets another client: `.use docker`, `.use region=eu-west-1` on top of the last. */
export type CreateClient = (
  name: string | undefined,
  settings: { readonly [name: string]: string },
) => ShellClient | Promise<ShellClient>

/** An image as the shell shows it; the library's Container has this shape. */
export type ShownImage = {
  readonly name: string
  readonly tag?: string | undefined
  readonly uri?: unknown
  readonly digest?: unknown
  readonly size?: number | undefined
  readonly path?: string | undefined
  readonly format?: string | undefined
  readonly pulled?: unknown
  readonly command?: () => unknown
}

export function isShownImage(value: unknown): value is ShownImage {
  if (typeof value !== 'object' || value === null) return false
  return 'name' in value && 'path' in value && 'digest' in value && typeof value.name === 'string'
}
