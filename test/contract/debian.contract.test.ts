/**
 * Real input: a Debian root file system, pushed by skopeo to a registry we did not write and to the local
 * ECR, pulled by the real clients, mounted by the kernel, its programs run.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { getClient } from '../../src/client/get-client.ts'
import { type DockerRegistry, startDockerRegistry } from '../fakes/docker-registry.ts'
import { squashfsOffset, unpackWithUmoci, withoutMetadataLayer } from '../fakes/image-file.ts'
import { imageOfBlobs, layerBlob, type OciImage } from '../fakes/oci-image.ts'
import { type Home, PullWorld } from '../fakes/pull-world.ts'
import { listTree, type TreeRecord, treeDifferences } from '../fakes/reference-tree.ts'
import { judge, withKernelMount } from '../fakes/squashfs-judges.ts'
import {
  directory as directoryEntry,
  file,
  hardlink,
  symlink,
  tarLayer,
  whiteout,
} from '../fakes/tar-layer.ts'
import { hasTool, isRoot } from '../fakes/tools.ts'
import { run } from '../local-ecr/temporary-ecr.ts'

const tools = ['mmdebstrap', 'skopeo', 'docker-registry', 'umoci', 'python3', 'unshare']
const canRun = tools.map(hasTool).every(Boolean) && isRoot

const packages = 'base-files,dash,coreutils,libc-bin,mawk,grep,sed,iputils-ping,passwd,tar,tzdata'

describe.skipIf(!canRun)('a Debian root file system in two layers', () => {
  const directory = mkdtempSync(join(tmpdir(), 'sregistry-debian-'))
  let world: PullWorld
  let registry: DockerRegistry
  let reference: readonly TreeRecord[]

  beforeAll(async () => {
    const image = debianImage(directory)
    reference = listTree(unpackWithUmoci(image, join(directory, 'umoci')))
    world = await PullWorld.start()
    registry = await startDockerRegistry(join(world.directory, 'registry'))
    await world.createRepository('team/debian')
    const password = (await world.local.authorization()).replace('Basic ', '')
    const login = ['--dest-creds', Buffer.from(password, 'base64').toString()]
    for (const [host, more] of [
      [registry.host, []],
      [world.local.ecr.registryHost, login],
    ] as const) {
      const from = `oci:${join(directory, 'umoci', 'oci')}:latest`
      const to = `docker://${host}/team/debian:latest`
      // not judge: the local ECR answers from this process
      await run('skopeo', ['copy', '-q', '--dest-tls-verify=false', ...more, from, to])
    }
  }, 120_000)
  afterAll(async () => {
    await registry?.close()
    await world?.[Symbol.asyncDispose]()
    rmSync(directory, { recursive: true })
  })

  const pulls: [string, (home: Home) => Promise<string>][] = [
    ['docker-registry', (home) => pullFrom('docker', `${registry.host}/team/debian`, home)],
    ['the local ECR', (home) => pullFrom('aws', 'team/debian', home, 'debian.sif')],
  ]
  test.each(pulls)('pulled from %s runs and is the tree of umoci', async (_, pull) => {
    const image = await pull(world.home())
    const offset = squashfsOffset(image)
    withKernelMount(
      image,
      (root) => {
        const records = withoutMetadataLayer(listTree(root), reference)
        expect(treeDifferences(reference, records, { ignore })).toEqual([])
        expect(inside(root, 'echo $((6 * 7)) | sed s/4/four/')).toBe('four2\n')
        expect(inside(root, 'printf "a b\\n" | mawk "{ print \\$2 }"')).toBe('b\n')
        expect(inside(root, 'greet; welcome; test -e /usr/share/doc || echo gone')).toBe(
          'hello\nhello\ngone\n',
        )
        expect(inside(root, '. /etc/os-release; echo $ID')).toBe('debian\n')
      },
      offset,
    )
  })
})

function debianImage(directory: string): OciImage {
  const path = join(directory, 'debian.tar')
  const suite = /^VERSION_CODENAME=(\w+)$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1]
  if (suite === undefined) throw new Error('/etc/os-release names no suite')
  judge('mmdebstrap', '--quiet', '--variant=extract', `--include=${packages}`, suite, path)
  const changes = tarLayer([
    whiteout('usr/share/doc'),
    directoryEntry('usr/local'),
    directoryEntry('usr/local/bin'),
    file('usr/local/bin/greet', '#!/bin/sh\necho hello\n', {
      mode: 0o755,
      xattrs: { 'user.origin': 'changes' },
    }),
    hardlink('usr/local/bin/welcome', 'usr/local/bin/greet'),
    hardlink('usr/local/bin/another-cat', 'bin/cat'),
    symlink('etc/mtab', '/proc/mounts'),
  ])
  return imageOfBlobs([layerBlob(readFileSync(path)), layerBlob(changes)])
}

async function pullFrom(
  client: string,
  reference: string,
  home: Home,
  name = 'debian.simg',
): Promise<string> {
  const puller = await getClient({ env: home.env, client })
  try {
    return (await puller.pull(reference, { name })).path
  } finally {
    await puller.close()
  }
}

/** A shell of the image, with mounts and processes of its own. */
function inside(root: string, command: string): string {
  const path = 'PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin'
  return execFileSync('unshare', ['-mpf', 'chroot', root, '/bin/sh', '-c', `${path}; ${command}`], {
    encoding: 'utf8',
  })
}

/** umoci leaves the clock's time on what no entry describes, and above it. */
function ignore({ path }: TreeRecord): readonly (keyof TreeRecord)[] {
  return ['', 'usr', 'usr/share', 'usr/share/doc'].includes(path) ? ['mtime'] : []
}
