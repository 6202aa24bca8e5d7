import { readdirSync, existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const repositoryRoot = dirname(dirname(fileURLToPath(import.meta.url)))

/** The directory of every workspace package, in the order of the layers' folders. */
export function packageDirectories(): string[] {
  return ['libs', 'connectors', 'apps'].flatMap((folder) => {
    const parent = join(repositoryRoot, folder)
    return readdirSync(parent)
      .sort()
      .map((name) => join(parent, name))
      .filter((path) => existsSync(join(path, 'package.json')))
  })
}
