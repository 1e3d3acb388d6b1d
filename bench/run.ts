/**
 * The bars of the design, measured side by side in one run: `npm run bench -- OCI-LAYOUT [WORK-DIR]`.
 * The layout needs the tags `latest` and `next` (latest with one small layer changed). Needs root (for
 * umoci) and skopeo, umoci, squashfs-tools, squashfs-tools-ng, docker-registry and GNU time.
 */
import { existsSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { run, startRegistry } from './loopback-registry.js'
import { type Cost, measure, median } from './measured-command.js'

const here = dirname(import.meta.filename)
const launcher = resolve(here, '../../bin/sregistry.js')

type Row = {
  readonly what: string
  readonly ours: string
  readonly theirs: string
  readonly ratio: number
  readonly bar: number
}

const [layout, workText] = process.argv.slice(2)
if (layout === undefined) {
  console.error('usage: npm run bench -- OCI-LAYOUT [WORK-DIR]')
  process.exitCode = 2
} else {
  await bench(resolve(layout), resolve(workText ?? join(tmpdir(), 'sregistry-bench')))
}

async function bench(oci: string, work: string): Promise<void> {
  rmSync(work, { recursive: true, force: true })
  mkdirSync(work, { recursive: true })
  const registry = await startRegistry(oci, ['latest', 'next'])
  try {
    print([
      ...compare(registry.host, work),
      ...quickRows(registry.host, work),
      ...bareRow(oci, work),
    ])
  } finally {
    registry.close()
    rmSync(work, { recursive: true, force: true })
  }
}

/** Cold pulls beside what the C tools take for the same image. */
function compare(host: string, work: string): Row[] {
  const copied = join(work, 'copied')
  const copy = median(
    1,
    () => rmSync(copied, { recursive: true, force: true }),
    () =>
      measure([
        'skopeo',
        'copy',
        '--src-tls-verify=false',
        `docker://${host}/bench/image:latest`,
        `oci:${copied}:latest`,
      ]),
  )
  const bundle = join(work, 'bundle')
  const unpack = measure(['umoci', 'unpack', '--image', `${copied}:latest`, bundle])
  const tar = join(work, 'rootfs.tar')
  run('tar', ['-C', join(bundle, 'rootfs'), '--xattrs', '--numeric-owner', '-cf', tar, '.'])
  const rows: Row[] = []
  for (const level of [5, 6]) {
    const ours = coldPull(host, work, `gzip:${level}`)
    const image = join(work, 'tar2sqfs.sqfs')
    const theirs = measure([
      'sh',
      '-c',
      `tar2sqfs -q -f -c gzip -X level=${level} ${image} <${tar}`,
    ])
    rows.push(
      timeRow(`cold pull, gzip ${level} / skopeo copy + tar2sqfs`, ours, plus(copy, theirs), 0.75),
    )
  }
  const ours = coldPull(host, work, 'gzip:5')
  const squashed = join(work, 'mksquashfs.sqfs')
  const theirs = measure([
    'mksquashfs',
    join(bundle, 'rootfs'),
    squashed,
    '-noappend',
    '-quiet',
    '-no-progress',
  ])
  rows.push(
    timeRow(
      'cold pull, default / skopeo copy + umoci unpack + mksquashfs',
      ours,
      plus(plus(copy, unpack), theirs),
      0.15,
    ),
  )
  rows.push(sizeRow(imageOf(work), squashed))
  rows.push({
    what: 'peak resident memory of the cold pull, MiB / 256',
    ours: ours.residentMiB.toFixed(0),
    theirs: '256',
    ratio: ours.residentMiB / 256,
    bar: 1,
  })
  return rows
}

/** What changes nothing, or little. The storage still holds the last cold pull. */
function quickRows(host: string, work: string): Row[] {
  const pull = (tag: string) => measure(pullCommand(host, tag), { env: home(work) })
  const again = median(
    5,
    () => undefined,
    () => pull('latest'),
  )
  const node = median(
    5,
    () => undefined,
    () => measure([process.execPath, '-e', '0']),
  )
  const copy = join(work, 'copy.simg')
  const copied = median(
    3,
    () => rmSync(copy, { force: true }),
    () => measure(['cp', imageOf(work), copy]),
  )
  const next = pull('next')
  return [
    timeRow('unchanged re-pull / node -e 0', again, node, 4),
    timeRow('a new tag with one small changed layer / cp of the image', next, copied, 1.5),
  ]
}

/** CPU beyond gunzip and deflate of the same bytes in bare Node. */
function bareRow(oci: string, work: string): Row[] {
  if (!existsSync(join(here, 'bare-work.js'))) return []
  const bare = measure([process.execPath, join(here, 'bare-work.js'), oci, '5'])
  const ours = lastColdPull
  if (ours === undefined) throw new Error(`no cold pull was measured in ${work}`)
  return [
    {
      what: 'CPU of the cold pull / bare gunzip + deflate',
      ours: ours.cpuSeconds.toFixed(1),
      theirs: bare.cpuSeconds.toFixed(1),
      ratio: ours.cpuSeconds / bare.cpuSeconds,
      bar: 1.1,
    },
  ]
}

let lastColdPull: Cost | undefined

function coldPull(host: string, work: string, compression: string): Cost {
  lastColdPull = median(
    1,
    () => rmSync(join(work, 'home'), { recursive: true, force: true }),
    () =>
      measure([...pullCommand(host, 'latest'), '--compression', compression], { env: home(work) }),
  )
  return lastColdPull
}

function pullCommand(host: string, tag: string): string[] {
  return [process.execPath, launcher, 'pull', `docker://${host}/bench/image:${tag}`]
}

function home(work: string): Record<string, string> {
  return { HOME: join(work, 'home'), SREGISTRY_CLIENT: 'docker' }
}

function imageOf(work: string): string {
  const storage = join(work, 'home/.singularity/shub')
  const name = readdirSync(storage).find((file) => file.includes('latest'))
  if (name === undefined) throw new Error(`no image in ${storage}`)
  return join(storage, name)
}

function plus(a: Cost, b: Cost): Cost {
  return {
    seconds: a.seconds + b.seconds,
    cpuSeconds: a.cpuSeconds + b.cpuSeconds,
    residentMiB: Math.max(a.residentMiB, b.residentMiB),
  }
}

function timeRow(what: string, ours: Cost, theirs: Cost, bar: number): Row {
  return {
    what,
    ours: `${ours.seconds.toFixed(2)} s`,
    theirs: `${theirs.seconds.toFixed(2)} s`,
    ratio: ours.seconds / theirs.seconds,
    bar,
  }
}

function sizeRow(ours: string, theirs: string): Row {
  const [a, b] = [statSync(ours).size, statSync(theirs).size]
  return {
    what: 'size of the image / mksquashfs default',
    ours: `${(a / 1e6).toFixed(1)} MB`,
    theirs: `${(b / 1e6).toFixed(1)} MB`,
    ratio: a / b,
    bar: 1.03,
  }
}

function print(rows: readonly Row[]): void {
  console.log('| measured | ours | theirs | ratio | bar | |\n|---|---|---|---|---|---|')
  for (const row of rows) {
    const verdict = row.ratio <= row.bar ? 'holds' : 'missed'
    console.log(
      `| ${row.what} | ${row.ours} | ${row.theirs} | ${row.ratio.toFixed(3)} | ${row.bar} | ${verdict} |`,
    )
  }
}
