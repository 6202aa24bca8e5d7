// oxlint-disable typescript/no-explicit-any -- what a test expects of a body is its type
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { missingPostgres, type Postgres, startPostgres } from '../../peers/postgres'
import { freePorts } from '../../peers/free-ports'
import { findS3 } from '../../peers/s3'
import type { Millrace, MillraceOptions } from '../../../examples/postgres-to-s3/millrace'
import { eventually } from '../wait'

/** The built program, as npm installs it. */
export const PROGRAM = join(__dirname, '../../../apps/cli/bin/millrace.js')

/** `describe` where a Postgres can be had, else a skipped one that says what is missing. */
export function describeWithPostgres(title: string, run: () => void): void {
  describeUnless(missingPostgres(), title, run)
}

/** The same where a real S3 server can be had as well. */
export function describeWithS3AndPostgres(title: string, run: () => void): void {
  const home = findS3()
  describeUnless('missing' in home ? home.missing : missingPostgres(), title, run)
}

function describeUnless(missing: string | null, title: string, run: () => void): void {
  if (missing === null) describe(title, run)
  else describe.skip(`${title} (missing: ${missing})`, run)
}

export async function openPostgres(): Promise<Postgres> {
  const postgres = await startPostgres()
  if ('missing' in postgres) throw new Error(postgres.missing)
  return postgres
}

/** Directories and processes of one test file; ended in reverse order. */
export class CleanUps {
  readonly #actions: (() => unknown)[] = []

  add(action: () => unknown): void {
    this.#actions.push(action)
  }

  directory(): string {
    const path = mkdtempSync(join(tmpdir(), 'millrace-faults-'))
    this.add(() => rmSync(path, { recursive: true, force: true }))
    return path
  }

  async run(): Promise<void> {
    for (const action of this.#actions.splice(0).reverse()) await action()
  }
}

export interface Ending {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs the program until it ends by itself, at most 20 s. */
export async function runToTheEnd(...args: readonly string[]): Promise<Ending> {
  const child = spawn(process.execPath, [PROGRAM, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 20_000,
  })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, stdout, stderr }
}

export interface Answer {
  readonly status: number
  readonly body: any
}

/** A request to the Connect REST address; a body that is text goes as it is. */
export async function rest(
  millrace: Millrace,
  method: string,
  path: string,
  body?: unknown,
): Promise<Answer> {
  const response = await fetch(millrace.addresses.connect + path, {
    method,
    ...(body !== undefined && {
      headers: { 'content-type': 'application/json' },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    }),
  })
  const text = await response.text()
  return { status: response.status, body: text === '' ? null : JSON.parse(text) }
}

/** Waits for a state of a connector's first task and gives that task's status. */
export async function untilTask(millrace: Millrace, name: string, state: string): Promise<any> {
  return eventually(async () => {
    const { body } = await rest(millrace, 'GET', `/connectors/${name}/status`)
    const task = body.tasks?.[0]
    if (task?.state !== state) throw new Error(`${name} is ${JSON.stringify(body)}`)
    return task
  })
}

/** For a program that has the same ones after a restart. */
export async function fourPorts(): Promise<NonNullable<MillraceOptions['ports']>> {
  const [kafka, connect, registry, admin] = await freePorts(4)
  return { kafka, connect, registry, admin }
}
