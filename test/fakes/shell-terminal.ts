/** The shell over the fake client, in a real terminal and with a home directory of its own. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Terminal } from './terminal.ts'

export const fakeShell: string = fileURLToPath(new URL('shell.mjs', import.meta.url))
export const prompt: RegExp = /aws:us-east-1>$/

export type ShellStart = {
  readonly args?: readonly string[]
  readonly columns?: number
  /** Default true: no banner. */
  readonly quiet?: boolean
  readonly env?: { readonly [name: string]: string }
}

export class ShellTerminal implements Disposable {
  readonly home: string = mkdtempSync(join(tmpdir(), 'sregistry-shell-'))
  #terminal: Terminal | undefined

  get historyFile(): string {
    return join(this.home, '.local/state/sregistry/history')
  }

  /** @returns The terminal, once the prompt is there. */
  async start({
    args = [],
    columns = 80,
    quiet = true,
    env = {},
  }: ShellStart = {}): Promise<Terminal> {
    this.#terminal = Terminal.open({
      command: [process.execPath, fakeShell, ...(quiet ? ['--quiet'] : []), ...args],
      env: { HOME: this.home, LANG: 'C.UTF-8', XDG_STATE_HOME: '', XDG_CONFIG_HOME: '', ...env },
      columns,
    })
    await this.#terminal.until(prompt)
    return this.#terminal
  }

  [Symbol.dispose](): void {
    this.#terminal?.close()
    rmSync(this.home, { recursive: true, force: true })
  }
}
