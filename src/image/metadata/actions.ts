/**
 * The action scripts of /.singularity.d/actions. Singularity 2.x and early 3.x execute them with the
 * image's /bin/sh; later runtimes bring their own (FORMATS § 5.5).
 */

/** Variables are named so that no image's own variable is hidden by the loop's. */
const sourceEnvironment = `for singularity_env_file in /.singularity.d/env/*.sh; do
    if [ -f "$singularity_env_file" ]; then
        . "$singularity_env_file"
    fi
done
unset singularity_env_file
`

const exec = `#!/bin/sh
${sourceEnvironment}
exec "$@"
`

const run = `#!/bin/sh
${sourceEnvironment}
if [ -n "\${SINGULARITY_APPNAME:-}" ]; then
    if [ -x "/scif/apps/$SINGULARITY_APPNAME/scif/runscript" ]; then
        exec "/scif/apps/$SINGULARITY_APPNAME/scif/runscript" "$@"
    fi
    echo "the app $SINGULARITY_APPNAME has no runscript" >&2
    exit 1
fi
if [ -x /.singularity.d/runscript ]; then
    exec /.singularity.d/runscript "$@"
fi
exec /bin/sh "$@"
`

const shell = `#!/bin/sh
${sourceEnvironment}
if [ -n "\${SINGULARITY_SHELL:-}" ] && [ -x "$SINGULARITY_SHELL" ]; then
    exec "$SINGULARITY_SHELL" "$@"
fi
if [ -x /bin/bash ]; then
    SHELL=/bin/bash
    export SHELL
    exec /bin/bash --norc "$@"
fi
SHELL=/bin/sh
export SHELL
exec /bin/sh "$@"
`

/** Old instances stop themselves until their process 1 is continued. */
const start = `#!/bin/sh
kill -CONT 1
${sourceEnvironment}
if [ -x /.singularity.d/startscript ]; then
    exec /.singularity.d/startscript "$@"
fi
`

const test = `#!/bin/sh
${sourceEnvironment}
if [ -n "\${SINGULARITY_APPNAME:-}" ]; then
    if [ -x "/scif/apps/$SINGULARITY_APPNAME/scif/test" ]; then
        exec "/scif/apps/$SINGULARITY_APPNAME/scif/test" "$@"
    fi
    echo "the app $SINGULARITY_APPNAME has no test" >&2
    exit 1
fi
if [ -x /.singularity.d/test ]; then
    exec /.singularity.d/test "$@"
fi
echo 'this container has no test' >&2
`

/** Every action script under its name. */
export const actionScripts: Readonly<Record<'exec' | 'run' | 'shell' | 'start' | 'test', string>> =
  {
    exec,
    run,
    shell,
    start,
    test,
  }
