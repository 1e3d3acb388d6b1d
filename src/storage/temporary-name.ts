/**
 * Names of unfinished files: `.tmp-<host>-<where>-<pid>-<startTime>-<random>`. They tell whether their
 * owner still lives, so that whoever finds one after a crash knows if it may be removed.
 */
import { createHash, randomBytes } from 'node:crypto'
import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'

export type TemporaryOwner = {
  readonly host: string
  /** 8 hex digits from the boot id and the pid namespace: process ids compare only where these agree. */
  readonly where: string
  readonly pid: number
  /** Field 22 of /proc/PID/stat; '0' where there is none. Process ids are used again, this is not. */
  readonly startTime: string
}

const pattern = /^\.tmp-(.+)-([0-9a-f]{8})-(\d+)-(\d+)-[0-9a-f]{16}$/

let ownOwner: TemporaryOwner | undefined

/** A fresh name for a file of this process. */
export function temporaryName(): string {
  const { host, where, pid, startTime } = thisProcess()
  return `.tmp-${host}-${where}-${pid}-${startTime}-${randomBytes(8).toString('hex')}`
}

/** undefined for names that are not of this form. */
export function parseTemporaryName(name: string): TemporaryOwner | undefined {
  const [, host, where, pid, startTime] = pattern.exec(name) ?? []
  if (host === undefined || where === undefined || pid === undefined || startTime === undefined) {
    return undefined
  }
  return { host, where, pid: Number(pid), startTime }
}

/**
 * Whether the owner of a temporary file lives. `unknown` for owners on other hosts, in other boots of
 * an unknown host or in other pid namespaces: there only the age of the file can tell.
 */
export function ownerState(owner: TemporaryOwner): 'alive' | 'dead' | 'unknown' {
  const own = thisProcess()
  if (owner.host !== own.host || owner.where !== own.where) return 'unknown'
  if (!isRunning(owner.pid)) return 'dead'
  const startTime = startTimeOf(owner.pid)
  return startTime === undefined || startTime === owner.startTime ? 'alive' : 'dead'
}

function thisProcess(): TemporaryOwner {
  ownOwner ??= {
    host:
      hostname()
        .replaceAll(/[^A-Za-z0-9.]/g, '_')
        .slice(0, 64) || 'localhost',
    where: whereOfProcesses(),
    pid: process.pid,
    startTime: startTimeOf(process.pid) ?? '0',
  }
  return ownOwner
}

function whereOfProcesses(): string {
  const parts: string[] = []
  try {
    parts.push(readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim())
    parts.push(readlinkSync('/proc/self/ns/pid'))
  } catch {
    // no /proc (macOS): host and pid must do
  }
  return createHash('sha256').update(parts.join('\n')).digest('hex').slice(0, 8)
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // EPERM: it runs, as somebody else's
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

function startTimeOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // the command's name stands in parentheses and may hold spaces: count fields after the last one
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
  } catch {
    // no /proc, or the process ended between two calls
    return undefined
  }
}
