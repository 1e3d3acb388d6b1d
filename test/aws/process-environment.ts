/** The SDK reads process.env: a test lends it one of its own, with nothing of the machine's AWS in it. */
const awsNames = /^(AWS_|SREGISTRY_|HOME$|.*_PROXY$|.*_proxy$)/

/** Runs with these variables in place of all AWS ones and HOME, and puts the old ones back. */
export async function withEnvironment<Result>(
  env: Readonly<Record<string, string | undefined>>,
  run: () => Promise<Result>,
): Promise<Result> {
  const before = Object.entries(process.env).filter(([name]) => awsNames.test(name))
  for (const [name] of before) delete process.env[name]
  Object.assign(process.env, env)
  try {
    return await run()
  } finally {
    for (const name of Object.keys(env)) delete process.env[name]
    Object.assign(process.env, Object.fromEntries(before))
  }
}
