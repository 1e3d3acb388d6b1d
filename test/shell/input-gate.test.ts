import { PassThrough } from 'node:stream'
import { setImmediate as turn } from 'node:timers/promises'
import { beforeEach, describe, expect, test } from 'vitest'
import { InputGate } from '../../src/shell/input-gate.ts'

/** A terminal's input side: bytes, and raw mode as it was last set. */
class FakeTerminal extends PassThrough {
  readonly isTTY = true
  rawModes: boolean[] = []
  setRawMode(mode: boolean): this {
    this.rawModes.push(mode)
    return this
  }
}

let source: FakeTerminal
let gate: InputGate
let events: string[]
let lines: string[]

beforeEach(() => {
  source = new FakeTerminal()
  events = []
  lines = []
  gate = new InputGate(source, {
    onInterrupt: () => events.push('interrupt'),
    onSuspend: () => events.push('suspend'),
  })
  gate.on('data', (chunk: Buffer) => lines.push(chunk.toString()))
  gate.on('end', () => events.push('end'))
})

/** Lets every stream and `setImmediate` that is due have its turn. */
async function settle(): Promise<void> {
  for (let i = 0; i < 10; i++) await turn()
}

describe('the input gate', () => {
  test('cuts what comes at once into lines, and leaves an unfinished one as it is', async () => {
    source.write('one\rtwo\r\nthree\nfour')
    await settle()
    expect(lines).toEqual(['one\r', 'two\r\n', 'three\n', 'four'])
  })

  test('cuts after Ctrl-D, too, and knows that it was the last key', async () => {
    source.write('text\r\u0004next')
    await settle()
    expect(lines).toEqual(['text\r', '\u0004', 'next'])
    expect(gate.endedByControlD).toBe(false)
    source.write('\u0004')
    await settle()
    expect(gate.endedByControlD).toBe(true)
  })

  test('keeps back what is typed while a statement runs, and lets one line through after it', async () => {
    gate.hold()
    source.write('first\rsecond\r')
    await settle()
    expect(lines).toEqual([])
    // the REPL takes the line and then holds the gate again
    gate.on('data', () => process.nextTick(() => gate.hold()))
    gate.release()
    await settle()
    expect(lines).toEqual(['first\r'])
    gate.release()
    await settle()
    expect(lines).toEqual(['first\r', 'second\r'])
  })

  test('needs as many releases as there were holds', async () => {
    gate.hold()
    gate.hold()
    source.write('x\r')
    gate.release()
    await settle()
    expect(lines).toEqual([])
    gate.release()
    await settle()
    expect(lines).toEqual(['x\r'])
  })

  test('Ctrl-C while held is seen at once and drops what was typed ahead', async () => {
    gate.hold()
    source.write('typed ahead\r')
    await settle()
    source.write('and more\r\x03after\r')
    await settle()
    expect(events).toEqual(['interrupt'])
    gate.release()
    await settle()
    expect(lines).toEqual(['after\r'])
  })

  test('a Tab that comes with the keys after it is a key of its own, but not in a paste', async () => {
    source.write('\tlatest')
    await settle()
    expect(lines).toEqual(['\t', 'latest'])
    source.write('\tindented()\r')
    await settle()
    expect(lines.slice(2)).toEqual(['\tindented()\r'])
  })

  test('keys after a Tab wait while it is answered', async () => {
    gate.once('data', () => gate.hold()) // as completion does
    source.write('\tlatest')
    await settle()
    expect(lines).toEqual(['\t'])
    gate.release()
    await settle()
    expect(lines).toEqual(['\t', 'latest'])
  })

  test('Ctrl-C that comes with the line before it is for the statement of that line', async () => {
    gate.once('data', () => gate.hold()) // as the REPL does, which takes the line
    source.write('statement\rtyped ahead\r\x03after\r')
    await settle()
    expect(lines).toEqual(['statement\r'])
    expect(events).toEqual(['interrupt'])
    gate.release()
    await settle()
    expect(lines).toEqual(['statement\r', 'after\r'])
  })

  test('Ctrl-Z while held suspends and keeps what was typed ahead before and after it', async () => {
    gate.hold()
    source.write('a\r\x1ab\r')
    await settle()
    expect(events).toEqual(['suspend'])
    gate.release()
    await settle()
    expect(lines).toEqual(['a\r', 'b\r'])
  })

  test('at the prompt Ctrl-C and Ctrl-Z belong to readline', async () => {
    source.write('\x03\x1a')
    await settle()
    expect(events).toEqual([])
    expect(lines.join('')).toBe('\x03\x1a')
  })

  test('the end of input waits for the statement and for what was typed before it', async () => {
    gate.hold()
    source.write('last\r')
    source.end()
    await settle()
    expect(events).toEqual([])
    gate.release()
    await settle()
    expect(lines).toEqual(['last\r'])
    expect(events).toEqual(['end'])
  })

  test('a terminal that goes away is the end of input, not a crash', async () => {
    source.destroy(Object.assign(new Error('read EIO'), { code: 'EIO' }))
    await settle()
    expect(events).toEqual(['end'])
  })

  test('lends the terminal out of raw mode and takes it back, also from a program that fails', async () => {
    gate.setRawMode(true)
    const lent = gate.lend(async () => {
      throw new Error('no such program')
    })
    await expect(lent).rejects.toThrow('no such program')
    expect(source.rawModes).toEqual([true, false, true])
    expect(gate.isRaw).toBe(true)
  })
})
