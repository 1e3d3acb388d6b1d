/** `--registry-id`: the same option of every command that browses, as the calls behind them have it. */
import type { BrowseOptions } from '../client/call-options.ts'
import type { Session } from './session.ts'

export const registryIdFlag = '--registry-id <account>'
export const registryIdText = 'the account that owns the registry (aws)'
export type RegistryIdFlag = { readonly registryId?: string }

export function browseOptions(session: Session, { registryId }: RegistryIdFlag): BrowseOptions {
  return { signal: session.signal, ...(registryId === undefined ? {} : { registryId }) }
}
