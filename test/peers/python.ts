/**
 * Python packages for tests, each in a folder of its own below `.cache/peers/python`, so that nothing is installed on the machine
 * (`node test/peers/prepare.ts kafka-python`). Imported by jest and by plain `node`: only erasable types, no packages of ours.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { peersDirectory } from './directory.ts'

export const KAFKA_PYTHON = 'kafka-python==3.0.12'
export const CONFLUENT_KAFKA = 'confluent-kafka==2.16.1'

const INSTALL_MAX_MS = 120_000

export interface PythonPackage {
  /** The program. */
  readonly python: string
  /** PYTHONPATH. */
  readonly packages: string
}

export interface MissingPackage {
  /** Why there is none, for the line that names a skipped test. */
  readonly missing: string
}

/** Finds or installs a package of PyPI: `kafka-python==3.0.12`. */
export async function preparePythonPackage(
  requirement: string,
): Promise<PythonPackage | MissingPackage> {
  const python = 'python3'
  const packages = join(peersDirectory(), 'python', requirement)
  if (existsSync(packages)) return { python, packages }
  mkdirSync(dirname(packages), { recursive: true })
  const temporary = mkdtempSync(`${packages}-`)
  try {
    const args = [
      '-m',
      'pip',
      'install',
      '--quiet',
      '--disable-pip-version-check',
      '--only-binary',
      ':all:',
    ]
    execFileSync(python, [...args, '--target', temporary, requirement], {
      encoding: 'utf8',
      stdio: 'pipe',
      timeout: INSTALL_MAX_MS,
    })
    renameSync(temporary, packages)
    return { python, packages }
  } catch (error) {
    if (existsSync(packages)) return { python, packages } // another process was faster
    const { code, stderr } = error as { code?: string; stderr?: string }
    if (code === 'ENOENT') return { missing: 'python3 with pip' }
    const reason = (stderr ?? String(error)).trim().split('\n').at(-1)
    return { missing: `${requirement} from PyPI: ${reason}` }
  } finally {
    rmSync(temporary, { recursive: true, force: true })
  }
}
