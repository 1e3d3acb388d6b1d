#!/usr/bin/env node
/** The shell over a client that needs no registry: for tests in a real terminal. */
import { parseArgs } from 'node:util'
import { createFakeClient } from './shell-client.mjs'

const dist = process.env.SREGISTRY_TEST_DIST ?? new URL('../../dist/', import.meta.url).href
const { startShell } = await import(new URL('shell/start.js', dist).href)
const { checkSessions } = await import(new URL('shell/check-session.js', dist).href)
const { SregistryError } = await import(new URL('errors/sregistry-error.js', dist).href)

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    eval: { type: 'string', short: 'e', multiple: true },
    'keep-going': { type: 'boolean' },
    check: { type: 'boolean' },
    stay: { type: 'boolean' },
    norc: { type: 'boolean' },
    quiet: { type: 'boolean' },
    json: { type: 'boolean' },
    debug: { type: 'boolean' },
  },
})

/** A client whose modules take this long to load. */
function slowToOpen(client, ms) {
  const { name, place, database } = client
  const open = () =>
    new Promise((resolve) => {
      setTimeout(() => resolve(client), ms)
    })
  return { name, place, database, open }
}

const client = createFakeClient(SregistryError)
const openMs = Number(process.env.FAKE_OPEN_MS ?? 0)

const clients = {
  client: openMs > 0 ? slowToOpen(client, openMs) : client,
  createClient: (name, settings) => createFakeClient(SregistryError, name, settings),
}

if (values.check) {
  process.exit(
    await checkSessions({
      files: positionals,
      stderr: process.stderr,
      flags: {},
      openPlace: async () => ({ ...clients, env: process.env, close: async () => undefined }),
    }),
  )
}

let isLeft = false
process.exitCode = await startShell({
  ...clients,
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  flags: {
    ...values,
    code: values.eval ?? [],
    files: positionals,
    keepGoing: values['keep-going'],
  },
  onLeft: () => {
    isLeft = true
  },
})
if (isLeft) process.exit()
