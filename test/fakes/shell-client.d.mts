import type { SregistryError } from '../../src/errors/sregistry-error.ts'
import type { ShellClient } from '../../src/shell/shell-client.ts'

/** See shell-client.mjs, which runs without a build. */
export function createFakeClient(
  errorClass: typeof SregistryError,
  name?: string,
  settings?: { readonly [name: string]: string },
  state?: { readonly cleaned: string[] },
): ShellClient
