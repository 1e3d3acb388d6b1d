/**
 * The bars of the design, measured side by side in one run: `npm run bench -- OCI-LAYOUT [WORK-DIR]`.
 * The layout needs the tags `latest` and `next` (latest with one small layer changed). Needs root (for
 * umoci) and skopeo, umoci, squashfs-tools, squashfs-tools-ng, docker-registry and GNU time.
 */
import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { type LoopbackRegistry, run, startRegistry } from './loopback-registry.js'
import { type Cost, measure, median } from './measured-command.js'
import { measureNewTag } from './new-tag.js'

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
    const byLevel = new Map([5, 6].map((level) => [level, coldPull(registry.host, work, level)]))
    // the default last, so that what follows finds its image in place
    const ours = coldPull(registry.host, work, 5)
    byLevel.set(5, ours)
    print([
      ...compare(registry.host, work, byLevel),
      againRow(registry.host, work),
      ...newTagRows(oci, registry, work),
      bareRow(oci, ours),
    ])
  } finally {
    registry.close()
    rmSync(work, { recursive: true, force: true })
  }
}

/** Cold pulls beside what the C tools take for the same image. */
function compare(host: string, work: string, byLevel: ReadonlyMap<number, Cost>): Row[] {
  const copied = join(work, 'copied')
  const source = `docker://${host}/bench/image:latest`
  const copy = measure(['skopeo', 'copy', '--src-tls-verify=false', source, `oci:${copied}:latest`])
  const bundle = join(work, 'bundle')
  const unpack = measure(['umoci', 'unpack', '--image', `${copied}:latest`, bundle])
  const rootfs = join(bundle, 'rootfs')
  const rows = tarRows(work, rootfs, copy, byLevel)
  const squashed = join(work, 'mksquashfs.sqfs')
  const tool = ['mksquashfs', rootfs, squashed, '-noappend', '-quiet', '-no-progress']
  const theirs = plus(plus(copy, unpack), measure(tool))
  const ours = byLevel.get(5) ?? copy
  const name = 'cold pull, default / skopeo copy + umoci unpack + mksquashfs'
  rows.push(timeRow(name, ours, theirs, 0.15), sizeRow(imageOf(work), squashed), memoryRow(ours))
  return rows
}

/** tar2sqfs at the same levels, from a tar archive of the whole tree. */
function tarRows(
  work: string,
  rootfs: string,
  copy: Cost,
  byLevel: ReadonlyMap<number, Cost>,
): Row[] {
  const tar = join(work, 'rootfs.tar')
  run('tar', ['-C', rootfs, '--xattrs', '--numeric-owner', '-cf', tar, '.'])
  const image = join(work, 'tar2sqfs.sqfs')
  return [...byLevel].map(([level, ours]) => {
    const command = `tar2sqfs -q -f -c gzip -X level=${level} ${image} <${tar}`
    const theirs = plus(copy, measure(['sh', '-c', command]))
    return timeRow(`cold pull, gzip ${level} / skopeo copy + tar2sqfs`, ours, theirs, 0.75)
  })
}

function memoryRow({ residentMiB }: Cost): Row {
  const what = 'peak resident memory of the cold pull'
  const ours = `${residentMiB.toFixed(0)} MiB`
  return { what, ours, theirs: '256 MiB', ratio: residentMiB / 256, bar: 1 }
}

/** What changes nothing. The storage still holds the last cold pull. */
function againRow(host: string, work: string): Row {
  const again = median(
    5,
    () => undefined,
    () => measure(pullCommand(host, 'latest'), { env: home(work) }),
  )
  const node = median(
    5,
    () => undefined,
    () => measure([process.execPath, '-e', '0']),
  )
  return timeRow('unchanged re-pull / node -e 0', again, node, 4)
}

/** 1.5 times a copy of the image and what the changed layer costs by itself: ratios to their sum. */
function newTagRows(oci: string, registry: LoopbackRegistry, work: string): Row[] {
  const { pull, own, copy, syncedCopy } = measureNewTag(oci, registry, {
    work,
    image: imageOf(work),
    home: join(work, 'home'),
    pullCommand,
  })
  const allowed = (copying: Cost) => ({ ...own, seconds: 1.5 * copying.seconds + own.seconds })
  const layer = `its layer alone ${own.seconds.toFixed(2)} s`
  const [plain, synced] = [copy, syncedCopy].map(({ seconds }) => `${seconds.toFixed(2)} s`)
  const name = 'a new tag with one small changed layer / 1.5 x'
  return [
    timeRow(
      `${name} cp and fsync of the image (${synced}) + ${layer}`,
      pull,
      allowed(syncedCopy),
      1,
    ),
    timeRow(`${name} cp of the image (${plain}) + ${layer}`, pull, allowed(copy), 1),
  ]
}

/** CPU beyond gunzip and deflate of the same bytes in bare Node. */
function bareRow(oci: string, ours: Cost): Row {
  const bare = measure([process.execPath, join(here, 'bare-work.js'), oci, '5'])
  return {
    what: 'CPU of the cold pull / bare gunzip + deflate',
    ours: `${ours.cpuSeconds.toFixed(1)} s`,
    theirs: `${bare.cpuSeconds.toFixed(1)} s`,
    ratio: ours.cpuSeconds / bare.cpuSeconds,
    bar: 1.1,
  }
}

/** A pull into an empty home. */
function coldPull(host: string, work: string, level: number): Cost {
  rmSync(join(work, 'home'), { recursive: true, force: true })
  const command = [...pullCommand(host, 'latest'), '--compression', `gzip:${level}`]
  return measure(command, { env: home(work) })
}

function pullCommand(host: string, tag: string, repository = 'bench/image'): string[] {
  return [process.execPath, launcher, 'pull', `docker://${host}/${repository}:${tag}`]
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
