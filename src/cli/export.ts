/** `sregistry export`: the tree of an image as a tar stream, into a file or a pipe. */
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { printJson } from './print-json.ts'
import type { Session } from './session.ts'
import { withClient } from './with-client.ts'

export function addExportCommand(program: Command, session: Session): void {
  program
    .command('export')
    .description('write the tree of an image as a tar archive')
    .argument('<name>', 'an image on this machine')
    .argument('<file>', 'a new file; - is stdout')
    .addHelpText('after', '\nExample: sregistry export library/busybox - | tar -tv')
    .action((name: string, file: string) => session.run(() => exportImage(session, name, file)))
}

async function exportImage(session: Session, name: string, file: string): Promise<void> {
  await withClient(session, { banner: false }, async (client) => {
    const image = await client.get(name)
    const { exportTar, exportToFile } = await import('../client/image-export.ts')
    const options = {
      signal: session.signal,
      onNote: (text: string) => session.stderr.line(`note: ${text}`),
    }
    if (file === '-') {
      await pipeOut(session, exportTar(image.path, options))
      return
    }
    const path = resolve(file)
    const sizeBytes = await exportToFile(image.path, path, options)
    if (session.flags.json) printJson(session, { path, size: sizeBytes })
    else session.stdout.line(session.flags.quiet ? path : `[export] ${name} => ${path}`)
  })
}

async function pipeOut(session: Session, tar: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const bytes of tar) {
    // a reader that has gone wants no more of it
    if (session.stdout.isClosed) return
    session.stdout.write(bytes)
    await session.stdout.flush()
  }
}
