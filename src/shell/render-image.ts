/** Images on this machine: one as a line with how to run it, many as a table. */
import { formatAge, formatSize } from '../terminal/quantities.ts'
import { sanitise } from '../terminal/sanitise.ts'
import { formatTable } from '../terminal/table.ts'
import { textWidth } from '../terminal/text-width.ts'
import type { RenderOptions } from './render.ts'
import type { ShownImage } from './shell-client.ts'
import { isDigest, shortDigest } from './short-digest.ts'

/** `library/busybox:latest  8c5a7da1b2c3  2.1 MiB  /home/u/…simg`, then how to run it. */
export function renderImage(image: ShownImage, { style }: RenderOptions): string {
  const { colours } = style
  const command = runHint(image)
  const name = sanitise(nameOf(image))
  const digest = shortDigest(image.digest)
  const fits = (parts: readonly string[]): boolean => textWidth(parts.join('  ')) <= style.width
  const rest = [
    ...(image.size === undefined ? [] : [formatSize(image.size)]),
    ...(image.path === undefined ? [] : [sanitise(image.path)]),
  ]
  // the command below has the path too
  const isTwice = image.path !== undefined && command?.includes(rest.at(-1) ?? '') === true
  if (isTwice && !fits([name, digest, ...rest])) rest.pop()
  const isDigestTooMuch = !fits([name, digest, ...rest]) && fits([name, ...rest])
  const facts = [colours.strong(name), isDigestTooMuch ? '' : colours.dim(digest), ...rest]
  const line = facts.filter((fact) => fact !== '').join('  ')
  return command === undefined ? line : `${line}\n  ${colours.dim(command)}`
}

export function renderImages(images: readonly ShownImage[], options: RenderOptions): string {
  const columns = [
    { header: 'NAME', minWidth: 16, isMain: true },
    { header: 'DIGEST', rank: 2 },
    { header: 'SIZE', align: 'right' },
    { header: 'PULLED', rank: 1 },
    { header: 'PATH', minWidth: 16, cutAt: 'start', rank: 3 },
  ] as const
  const rows = images.map((image) => [
    nameOf(image),
    shortDigest(image.digest),
    image.size === undefined ? '' : formatSize(image.size),
    ageOf(image.pulled, options.now),
    image.path ?? '',
  ])
  return formatTable({ columns, rows }, options.style)
}

function nameOf(image: ShownImage): string {
  const isTagged = image.tag === undefined || image.name.endsWith(`:${image.tag}`)
  return isTagged ? image.name : `${image.name}:${image.tag}`
}

function runHint(image: ShownImage): string | undefined {
  if (typeof image.command !== 'function') return undefined
  const command: unknown = image.command()
  if (typeof command === 'string') return sanitise(command)
  return Array.isArray(command) ? sanitise(String(command[0] ?? '')) : undefined
}

function ageOf(date: unknown, now: number): string {
  if (date instanceof Date) return formatAge(date, now)
  if (typeof date !== 'string' && typeof date !== 'number') return ''
  return isDigest(date) ? '' : formatAge(new Date(date), now)
}
