import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** Where downloaded and built peers are kept: MILLRACE_PEERS_DIR, or `.cache/peers` of the repository. */
export function peersDirectory(): string {
  return process.env.MILLRACE_PEERS_DIR ?? join(repositoryRoot(), '.cache', 'peers')
}

/** The nearest directory upwards with a lockfile; without `import.meta`, which jest cannot compile. */
function repositoryRoot(): string {
  for (let directory = process.cwd(); ; directory = dirname(directory)) {
    if (existsSync(join(directory, 'package-lock.json'))) return directory
    if (directory === dirname(directory)) return process.cwd()
  }
}
