import type { DoctorEvent } from './doctor-run.ts'
import type { PullEvent } from './pull-event.ts'

/** What every call to a registry or to the disk takes last. */
export type CallOptions = {
  /** Cancels the call; it then rejects with CANCELLED and leaves nothing partial. */
  readonly signal?: AbortSignal
}

/** Calls that look around in a registry. */
export type BrowseOptions = CallOptions & {
  /** Account that owns the registry (aws). Default: that of the host in the name, or the configured one. */
  readonly registryId?: string
}

export type TokenOptions = CallOptions & {
  /** True: the password itself, for scripts. Default: facts about it. */
  readonly raw?: boolean
}

export type PolicyOptions = CallOptions & {
  /** A repository's name, or a pattern with `*`. Default: every repository of the registry. */
  readonly repository?: string
  /** Kind `cross-account`: account ids and ARNs that shall pull. Default: the caller's account. */
  readonly readers?: readonly string[]
}

export type DoctorOptions = CallOptions & {
  /** True: keep the settings that were given for this run in the settings file. Default false. */
  readonly fix?: boolean
  /** True: make the repository when it is missing. Default false. */
  readonly create?: boolean
  /** Told each rung as it is known. */
  readonly onProgress?: (event: DoctorEvent) => void
}

/** Calls that look at one image. */
export type ImageOptions = CallOptions & {
  /** `linux/arm64`; default: linux on this machine's processor. */
  readonly platform?: string
}

export type PullOptions = ImageOptions & {
  /** File name of the image; an ending `.sif` makes a SIF. Default: made from the reference. */
  readonly name?: string
  /** Form of the image file. Default: as `name` says, else `squashfs`. */
  readonly format?: 'squashfs' | 'sif'
  /** `gzip`, `gzip:1` to `gzip:9`, `zstd`, `zstd:1` to `zstd:19`, `none`. Default `gzip:5`. */
  readonly compression?: string
  /** False: into the working directory; no storage, no catalogue, no layer cache. Default true. */
  readonly cache?: boolean
  /** False: into the working directory, not into storage and catalogue. Default true. */
  readonly save?: boolean
  /** Replace the image that has this name, whatever it is. Default false. */
  readonly force?: boolean
  /** Give every file to root. Default: owners as in the layers. */
  readonly allRoot?: boolean
  /** Directories u+rwx, files u+rw, no setuid, setgid and sticky bits. Default: modes as in the layers. */
  readonly fixPermissions?: boolean
  readonly onProgress?: (event: PullEvent) => void
}
