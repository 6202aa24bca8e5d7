/** Plays the script against one worker. */
import { setTimeout as sleep } from 'node:timers/promises'
import { type Answer, call, untilState } from '../worker-on-kafka/rest.ts'
import type { Step } from './script.ts'

const POLL_MS = 50
const WAIT_MS = 20_000

export interface Side {
  readonly url: string
  /** Stands for `DIR`. */
  readonly directory: string
}

/** The answers by title, with the side's own directory written as in the script. */
export async function replay(
  steps: readonly Step[],
  side: Side,
): Promise<ReadonlyMap<string, Answer>> {
  const answers = new Map<string, Answer>()
  for (const step of steps) {
    const answer = await play(step, side)
    answers.set(step.title, { ...answer, text: generalised(answer.text, side) })
    // What a wait does not see is seen in the next answer.
    if (step.becomes)
      await untilState(side.url, step.becomes.name, step.becomes).catch(() => undefined)
  }
  return answers
}

async function play(step: Step, side: Side): Promise<Answer> {
  const deadlineMs = Date.now() + WAIT_MS
  for (;;) {
    const answer = await call(side.url, { ...step, body: specialised(step.body, side) })
    const isExpected = step.until === undefined || answer.text.includes(step.until)
    // A group that rebalances refuses for a moment on both sides.
    const isBusy = answer.status === 409 && /rebalanc/i.test(answer.text)
    if ((isExpected && !isBusy) || Date.now() > deadlineMs) return answer
    await sleep(POLL_MS)
  }
}

function specialised(body: unknown, { directory }: Side): unknown {
  if (body === undefined) return undefined
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  return text.replaceAll('DIR', directory)
}

function generalised(text: string, { directory }: Side): string {
  return text.replaceAll(directory, 'DIR')
}
