/**
 * `sregistry demo` (what `npm start` runs): the main job on an ECR of this machine, without account and
 * without network. In a terminal it opens the shell; otherwise it pulls an image and prints the result.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Command } from 'commander'
import type { Session } from './session.ts'
import { runShell } from './shell.ts'

const firstPull = "image = client.pull('library/busybox')"

export function addDemoCommand(program: Command, session: Session): void {
  program
    .command('demo')
    .description('a shell on a local ECR with a few images: no account, no network')
    .action(() => session.run(() => demo(session)))
}

async function demo(session: Session): Promise<void> {
  const { startLocalEcr } = await import('../local-ecr/local-ecr.ts')
  const work = await mkdtemp(join(tmpdir(), 'sregistry-demo-'))
  const ecr = await startLocalEcr({ root: join(work, 'ecr'), seed: true })
  try {
    Object.assign(session.env, ecr.environment, {
      SREGISTRY_CLIENT: 'aws',
      // the demo's images and records go with it; the user's own stay as they are
      SREGISTRY_STORAGE: join(work, 'shub'),
      SREGISTRY_DATABASE: work,
      SINGULARITY_CACHEDIR: work,
    })
    await goWithoutCatalogue(session)
    const isInteractive = process.stdin.isTTY && process.stdout.isTTY
    if (isInteractive) greet(session, ecr.registryHost)
    await runShell(session, [], isInteractive ? {} : { eval: [firstPull, 'image'] })
  } finally {
    await ecr.close()
    await rm(work, { recursive: true, force: true })
  }
}

/** Where sqlite3 can be neither downloaded nor built, npm installs the rest, and images can be pulled all the same. */
async function goWithoutCatalogue({ env, stderr }: Session): Promise<void> {
  const { isSqliteInstalled } = await import('../catalog/sqlite-store.ts')
  if (isSqliteInstalled()) return
  Object.assign(env, { SREGISTRY_DISABLE: '1' })
  stderr.line('note: sqlite3 is not installed, so this demo keeps no records of its images')
  stderr.line(
    '  hint: `npm rebuild sqlite3`, or `npm install`, where a compiler or github.com is at hand',
  )
}

function greet(session: Session, host: string): void {
  session.stderr.line(`A local ECR is running on ${host}; it ends with this shell. Type:`)
  session.stderr.line(`  ${firstPull}`)
}
