/** Clients that are programs: one process per operation, one per member of a group. */
import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Incoming, Member } from './client.ts'

const RUN_TIMEOUT_MS = 30_000
const LEAVE_TIMEOUT_MS = 15_000
const COMPLAINTS_MAX_CHARACTERS = 4000

/** Runs a program to its end. @throws Error with what it complained about if it fails */
export async function run(
  program: string,
  args: readonly string[],
  input: string | Buffer = '',
  environment: Readonly<Record<string, string>> = {},
): Promise<string> {
  const env = { ...process.env, ...environment }
  const child = spawn(program, args, { timeout: RUN_TIMEOUT_MS, env })
  const chunks: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
  const complaints = collectComplaints(child)
  // A program that ends before it has read everything closes the pipe: its exit code tells the story.
  child.stdin.on('error', () => undefined)
  child.stdin.end(input)
  const code = await ending(child)
  const output = Buffer.concat(chunks).toString()
  if (code !== 0) throw new Error(`${program} ended with ${code}: ${complaints()}${tail(output)}`)
  return output
}

/** A member that prints one line per message, and commits and leaves on SIGTERM. */
export function startMember(
  program: string,
  args: readonly string[],
  parseLine: (line: string) => Incoming | null,
  environment: Readonly<Record<string, string>> = {},
): Member {
  const env = { ...process.env, ...environment }
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], env })
  const complaints = collectComplaints(child)
  const received: Incoming[] = []
  let isLeaving = false
  let failure: Error | null = null
  createInterface({ input: child.stdout }).on('line', (line) => {
    const message = parseLine(line)
    if (message) received.push(message)
  })
  const ended = ending(child).then((code) => {
    if (!isLeaving) failure = new Error(`${program} ended with ${code}: ${complaints()}`)
  })
  return {
    received,
    get failure() {
      return failure
    },
    async leave() {
      isLeaving = true
      child.kill('SIGTERM')
      const timer = setTimeout(() => child.kill('SIGKILL'), LEAVE_TIMEOUT_MS)
      await ended
      clearTimeout(timer)
    },
  }
}

function collectComplaints(child: ChildProcess): () => string {
  let text = ''
  child.stderr!.on('data', (chunk: Buffer) => (text = tail(text + String(chunk))))
  return () => text.trim()
}

function tail(text: string): string {
  return text.slice(-COMPLAINTS_MAX_CHARACTERS)
}

function ending(child: ChildProcess): Promise<number | string> {
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => resolve(code ?? signal ?? -1))
  })
}
