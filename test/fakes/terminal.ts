/** A real terminal (tmux) with a program in it: keys in, screen out. */
import { execFileSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'

export type TerminalOptions = {
  readonly command: readonly string[]
  readonly env: { readonly [name: string]: string }
  /** Default 80. */
  readonly columns?: number
  /** Default 40. */
  readonly rows?: number
}

const pollMs = 20
const patienceMs = 15_000

export class Terminal {
  readonly #socket = `sregistry-${randomUUID()}`

  private constructor(options: TerminalOptions) {
    const env = Object.entries(options.env).map(([name, value]) => `${name}=${quoted(value)}`)
    const command = `env -u CI -u NO_COLOR -u FORCE_COLOR ${env.join(' ')} ${options.command.map(quoted).join(' ')}`
    const size = ['-x', String(options.columns ?? 80), '-y', String(options.rows ?? 40)]
    // The screen stays after the program has ended, with its exit code below.
    const script = `${command}; echo "exit code $?"; cat`
    this.#tmux(['-u', '-f', '/dev/null', 'new-session', '-d', ...size, script])
  }

  static open(options: TerminalOptions): Terminal {
    return new Terminal(options)
  }

  /** Text as it is, without Enter. */
  type(text: string): void {
    this.#tmux(['send-keys', '-l', '--', text])
  }

  /** Keys by tmux's names: `Enter`, `Tab`, `C-c`, `Up`. */
  press(...keys: readonly string[]): void {
    this.#tmux(['send-keys', ...keys])
  }

  enter(line: string): void {
    this.type(line)
    this.press('Enter')
  }

  resize(columns: number): void {
    this.#tmux(['resize-window', '-x', String(columns)])
  }

  /** What is on the screen, without blank lines at its end. */
  screen(): string {
    return this.#tmux(['capture-pane', '-p']).trimEnd()
  }

  /** Whether any cell is coloured, bold or dim. */
  isStyled(): boolean {
    return this.#tmux(['capture-pane', '-p', '-e']).includes('\u001b[')
  }

  /** What was printed, its lines as they were before the terminal wrapped them. */
  lines(): readonly string[] {
    return this.#tmux(['capture-pane', '-p', '-J']).trimEnd().split('\n')
  }

  showsCursor(): boolean {
    return this.#tmux(['display-message', '-p', '#{cursor_flag}']).trim() === '1'
  }

  /** Process id of the program's shell, for its children. */
  pid(): number {
    return Number(this.#tmux(['display-message', '-p', '#{pane_pid}']))
  }

  /** @returns The screen, once it fits. */
  async until(expected: RegExp | string, what = String(expected)): Promise<string> {
    const deadline = Date.now() + patienceMs
    for (;;) {
      const screen = this.screen()
      const fits = typeof expected === 'string' ? screen.includes(expected) : expected.test(screen)
      if (fits) return screen
      if (Date.now() > deadline) throw new Error(`never seen: ${what}\nlast screen:\n${screen}`)
      await delay(pollMs)
    }
  }

  close(): void {
    this.#tmux(['kill-server'])
  }

  #tmux(args: readonly string[]): string {
    return execFileSync('tmux', ['-L', this.#socket, ...args], { encoding: 'utf8' })
  }
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}
