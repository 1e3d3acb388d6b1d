/**
 * The scripts of /.singularity.d/env, which a runtime sources in the order of their names before the
 * container's process starts (FORMATS § 5.1, 5.2). Plain assignments and tests only: runtimes from
 * 3.6 on source them with an embedded shell that has no external commands.
 */
import { singleQuoted } from './shell-quote.ts'

/** Names that a shell can export; others stay out, as in Apptainer. */
const exportableName = /^[a-zA-Z_][a-zA-Z0-9_]*$/

/**
 * Bash keeps its own state in these, read-only: exporting them would switch the options of every
 * bash started later, and xtrace runs the command substitutions of PS4.
 */
const shellState = new Set(['SHELLOPTS', 'BASHOPTS'])

/**
 * `10-docker2singularity.sh`: the config's Env. PATH is the image's; any other variable that the
 * caller has set already, and not to nothing, stays as it is. That also keeps read-only variables of
 * some shells (UID, PPID) from ending the script.
 */
export function dockerEnvScript(env: readonly string[]): string {
  const lines = env.flatMap((element) => exportLines(element))
  return `${['#!/bin/sh', ...lines].join('\n')}\n`
}

function exportLines(element: string): readonly string[] {
  const equals = element.indexOf('=')
  const name = equals < 0 ? element : element.slice(0, equals)
  const value = equals < 0 ? '' : element.slice(equals + 1)
  if (!exportableName.test(name) || shellState.has(name)) return []
  if (name === 'PATH') return [`export PATH=${singleQuoted(value)}`]
  return [`[ -n "\${${name}:-}" ] || ${name}=${singleQuoted(value)}`, `export ${name}`]
}

/** `01-base.sh`: by its place the first; nothing is needed there. */
export const baseScript: string = `#!/bin/sh
# Settings that all other files of this directory may rely on: none.
`

/** `90-environment.sh`: the environment section of a definition file. */
export const environmentScript: string = `#!/bin/sh
# Environment of a definition file: a pulled image has none.
`

/** `95-apps.sh`: the environment of one app of a SCIF image (sci-f.github.io), chosen by the runtime. */
export const appsScript: string = `#!/bin/sh
# With an app chosen (--app NAME): its place, its programs and libraries, its own environment.
if [ -n "\${SINGULARITY_APPNAME:-}" ]; then
    if [ ! -d "/scif/apps/$SINGULARITY_APPNAME" ]; then
        echo "this image has no app named $SINGULARITY_APPNAME" >&2
        exit 1
    fi
    SCIF_APPNAME="$SINGULARITY_APPNAME"
    SCIF_APPROOT="/scif/apps/$SINGULARITY_APPNAME"
    export SCIF_APPNAME SCIF_APPROOT
    if [ -d "$SCIF_APPROOT/bin" ]; then
        PATH="$SCIF_APPROOT/bin:$PATH"
        export PATH
    fi
    if [ -d "$SCIF_APPROOT/lib" ]; then
        LD_LIBRARY_PATH="$SCIF_APPROOT/lib\${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
        export LD_LIBRARY_PATH
    fi
    for scif_env_file in "$SCIF_APPROOT"/scif/env/*.sh; do
        if [ -f "$scif_env_file" ]; then
            . "$scif_env_file"
        fi
    done
    unset scif_env_file
fi
`

/**
 * `99-base.sh`: where the runtime binds GPU and other host libraries, and a prompt. Runtimes put the
 * APPTAINERENV_ and SINGULARITYENV_ variables in right after the file of this very name.
 */
export const lastScript: string = `#!/bin/sh
# Libraries of the host that the runtime binds into the container (--nv, --rocm, --containlibs).
LD_LIBRARY_PATH="\${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}/.singularity.d/libs"
PS1="\${PS1:-Singularity> }"
export LD_LIBRARY_PATH PS1
`

/** `99-runtimevars.sh`: what the user asked of PATH. Runtimes from 3.6 on use their own text instead. */
export const runtimeVariablesScript: string = `#!/bin/sh
# PATH as the user wants it: replaced, or with more directories in front or behind.
if [ -n "\${SING_USER_DEFINED_PATH:-}" ]; then
    PATH="$SING_USER_DEFINED_PATH"
fi
if [ -n "\${SING_USER_DEFINED_PREPEND_PATH:-}" ]; then
    PATH="$SING_USER_DEFINED_PREPEND_PATH:$PATH"
fi
if [ -n "\${SING_USER_DEFINED_APPEND_PATH:-}" ]; then
    PATH="$PATH:$SING_USER_DEFINED_APPEND_PATH"
fi
unset SING_USER_DEFINED_PATH SING_USER_DEFINED_PREPEND_PATH SING_USER_DEFINED_APPEND_PATH
export PATH
`
