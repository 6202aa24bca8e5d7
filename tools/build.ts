/**
 * Compiles every package's src into its dist with swc, file by file and only what changed. Types are checked by
 * `npm run types`, not here.
 */
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
  existsSync,
} from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { transformSync } from '@swc/core'
import { packageDirectories, repositoryRoot } from './packages.ts'

const optionsFile = join(repositoryRoot, '.swcrc')
const swcOptions = JSON.parse(readFileSync(optionsFile, 'utf8')) as object
const optionsChangedMs = statSync(optionsFile).mtimeMs

let compiled = 0
for (const directory of packageDirectories()) compilePackage(directory)
if (compiled > 0) process.stderr.write(`build: ${compiled} files compiled\n`)

function compilePackage(directory: string): void {
  const source = join(directory, 'src')
  if (!existsSync(source)) return
  const expected = new Set<string>()
  for (const file of filesIn(source)) {
    const isTypeScript = /\.tsx?$/.test(file)
    if (/\.test\.tsx?$/.test(file) || file.endsWith('.d.ts')) continue
    const target = join(directory, 'dist', relative(source, file).replace(/\.tsx?$/, '.js'))
    expected.add(target)
    if (isTypeScript) expected.add(`${target}.map`)
    if (isFresh(file, target)) continue
    mkdirSync(dirname(target), { recursive: true })
    if (isTypeScript) compileFile(file, target)
    else writeFileSync(target, readFileSync(file))
    const { mtime } = statSync(file)
    utimesSync(target, mtime, mtime)
    compiled += 1
  }
  removeStale(join(directory, 'dist'), expected)
}

function compileFile(file: string, target: string): void {
  const { code, map } = transformSync(readFileSync(file, 'utf8'), {
    ...swcOptions,
    swcrc: false,
    filename: file,
    sourceFileName: relative(dirname(target), file),
  })
  writeFileSync(target, `${code}//# sourceMappingURL=${target.split('/').at(-1)}.map\n`)
  if (map) writeFileSync(`${target}.map`, map)
}

/**
 * The target carries the time of the source it was made from: a checkout of an older file is noticed too. Its change time is
 * that of the compilation, which must be later than the compiler's options.
 */
function isFresh(file: string, target: string): boolean {
  const made = statSync(target, { throwIfNoEntry: false })
  if (made === undefined || made.ctimeMs < optionsChangedMs) return false
  return Math.abs(made.mtimeMs - statSync(file).mtimeMs) < 2
}

function removeStale(directory: string, expected: ReadonlySet<string>): void {
  if (!existsSync(directory)) return
  for (const file of filesIn(directory)) if (!expected.has(file)) rmSync(file)
}

function* filesIn(directory: string): Generator<string> {
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name)
    if (entry.isDirectory()) yield* filesIn(path)
    else yield path
  }
}
